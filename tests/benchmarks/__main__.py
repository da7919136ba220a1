"""Every benchmark, one after another, with quick defaults; tables are printed, and one JSON file is written.

    python -m tests.benchmarks [--only predict_speed steps ...] [--json benchmarks.json]

Each runs in a process of its own, on one thread; its own --help says what else it can do. `kills`, which takes an hour,
and `bleeding` and `vividness` of photographs, which need some, are run by themselves.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUICK = {
    "predict_speed": ["--megapixels", "3", "12", "--threads", "1", "--count", "4", "--repeats", "2", "--cpu"],
    "steps": ["--repeats", "3"],
    "input_pipeline": [],
    "start_up": [],
    "memory": ["--megapixels", "3", "12", "--files", "100", "1000", "--seconds", "5", "30"],
    "quality": ["--seconds", "5", "10"],
    "album": [],
    "bleeding": [],
    "soft_encoding": [],
}
WRITE_JSON = ("predict_speed", "steps", "input_pipeline", "start_up", "memory", "quality")


def run(name: str) -> dict[str, Any]:
    """Its command, seconds, exit code and output, and the rows of those that write them."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *QUICK[name]]
    with tempfile.TemporaryDirectory() as temporary:
        rows = Path(temporary, "rows.json")
        started = time.perf_counter()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        extra = ["--json", str(rows)] if name in WRITE_JSON else []
        done = subprocess.run([*command, *extra], text=True, capture_output=True, env=environment, check=False)
        print(f"## {name} ({' '.join(command[2:])})\n{done.stdout}{done.stderr if done.returncode else ''}", flush=True)
        return {
            "command": " ".join(["python", *command[1:]]),
            "seconds": round(time.perf_counter() - started, 1),
            "exit_code": done.returncode,
            "output": done.stdout.splitlines(),
            "rows": json.loads(rows.read_text()) if rows.is_file() else None,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(QUICK), default=list(QUICK), metavar="NAME")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    asked = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}
    for name in asked.only:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")  # a path that cannot be written fails at once
        results[name] = run(name)
    asked.json.write_text(json.dumps(results, indent=1) + "\n")
    if failed := [name for name, result in results.items() if result["exit_code"]]:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
