"""Hundreds of broken films: each is coloured as far as it goes or refused, and the process lives."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = 500


@pytest.mark.slow
def test_no_mutated_film_crashes_or_hangs_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.film.fuzz", str(COUNT), "0", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace", timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    print(counts)
    assert counts.pop("left") == []
    assert sum(counts.values()) == COUNT
    assert min(counts["refused"], counts["whole"]) > COUNT // 20
