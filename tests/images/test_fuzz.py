"""Thousands of broken files: each is read or refused, and the process lives."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = 6000


@pytest.mark.slow
def test_no_mutated_file_crashes_or_hangs_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.images.fuzz", str(COUNT), "0", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace", timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    print(counts)
    assert counts["read"] + counts["refused"] == COUNT
    assert min(counts["read"], counts["refused"]) > COUNT // 10
    formats = {name.removeprefix("good ") for name in counts if name.startswith("good ")}
    assert formats == {"JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"}
