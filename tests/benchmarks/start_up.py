"""Seconds of the CPU from start to end of predict.py on one small photograph, beside those of `import torch`.

python tests/benchmarks/start_up.py [--repeats 3] [--json FILE]
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from colorize.scenery import render_scenes
from tests.benchmarks.table import parser, report

ROOT = Path(__file__).parents[2]


def seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--repeats", type=int, default=3)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        photograph = Path(temporary, "one.jpg")
        Image.fromarray(render_scenes([0], 256)[0]).save(photograph)
        importing = [sys.executable, "-c", "import torch"]
        coloring = [
            sys.executable,
            "predict.py",
            f"input={photograph}",
            f"output={temporary}/out.jpg",
            "overwrite=true",
        ]
        times = [(seconds(importing), seconds(coloring)) for _ in range(asked.repeats)]
    torch_alone, predict = (min(pair[place] for pair in times) for place in (0, 1))
    report([{"import torch": torch_alone, "predict.py": predict, "ratio": predict / torch_alone}], asked.json)


if __name__ == "__main__":
    main()
