"""The most memory that coloring takes: a photograph by its megapixels, a folder by its files, a film by its seconds.

    python -m tests.benchmarks.memory [--megapixels 3 12 100] [--files 100 1000] [--seconds 10 120] [--json FILE]

Each is a process of its own; `idle` is one that has loaded the weights. The files of a folder have 64 x 48 pixels;
films have 320 x 180 and 24 frames a second, and become H.264.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.benchmarks.table import parser, report
from tests.film.films import write_film

ROOT = Path(__file__).parents[2]
MIB = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss


def peak(*arguments: str) -> int:
    """In MiB, of a process of this module."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--one", *arguments]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()[-1])


def color(*arguments: str) -> None:
    """Print the peak of this process, which colours a folder into another, or nothing."""
    from colorize.album.ledger import LedgerRow
    from colorize.album.pipeline import Pipeline
    from colorize.album.plan import make_plan
    from colorize.album.settings import Settings
    from colorize.inference.colorizer import Colorizer

    colorizer, rows = Colorizer.load(), list[LedgerRow]()
    if arguments:
        pipeline = Pipeline(colorizer, Settings(tta=False), rows.append)
        pipeline.run(make_plan(*arguments).jobs)
        assert {row.status for row in rows} == {"done"}, rows
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB)


def color_film(film: str) -> None:
    """Print the peak of this process, which colours a film."""
    from colorize.film.make import make_film
    from colorize.film.settings import FilmSettings
    from colorize.inference.colorizer import Colorizer

    make_film(Path(film), Path(film).with_suffix(".mp4"), Colorizer.load(), FilmSettings(tta=False))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--megapixels", type=float, nargs="*", default=[3, 12, 100])
    arguments.add_argument("--files", type=int, nargs="*", default=[100, 1000])
    arguments.add_argument("--seconds", type=int, nargs="*", default=[10, 120])
    arguments.add_argument("--one", nargs="*")
    asked = arguments.parse_args()
    if asked.one is not None:
        is_film = [Path(path).suffix for path in asked.one] == [".mkv"]
        (color_film if is_film else color)(*asked.one)
        return
    rows: list[dict[str, Any]] = [{"what": "idle", "MiB": peak()}]
    with tempfile.TemporaryDirectory() as temporary:
        for number, megapixels in enumerate(asked.megapixels):
            folder = Path(temporary, f"large{number}")
            folder.mkdir()
            ramp = np.linspace(0, 255, round((megapixels * 4e6 / 3) ** 0.5), dtype=np.uint8)
            Image.fromarray(np.tile(ramp, (round((megapixels * 3e6 / 4) ** 0.5), 1))).save(folder / "one.jpg")
            rows.append({"what": f"{megapixels:g} megapixels", "MiB": peak(str(folder), f"{folder}_out")})
        for files in asked.files:
            folder = Path(temporary, f"many{files}")
            folder.mkdir()
            for number in range(files):
                Image.fromarray(np.full((48, 64), number % 256, np.uint8)).save(folder / f"{number}.jpg")
            rows.append({"what": f"{files} files", "MiB": peak(str(folder), f"{folder}_out")})
        for seconds in asked.seconds:
            film = write_film(Path(temporary, f"{seconds}.mkv"), 24 * seconds, size=(180, 320), codec="libx264")
            rows.append({"what": f"{seconds} s of film", "MiB": peak(str(film))})
    report(rows, asked.json)


if __name__ == "__main__":
    main()
