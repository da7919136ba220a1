"""Thousands of broken files: each is read or refused, and the process lives."""

from pathlib import Path

import pytest

from tests.mutated import run_fuzz

COUNT = 6000


@pytest.mark.slow
def test_no_mutated_file_crashes_or_hangs_the_process(tmp_path: Path) -> None:
    counts = run_fuzz("tests.images.fuzz", COUNT, tmp_path, timeout=600)
    assert counts["read"] + counts["refused"] == COUNT
    assert min(counts["read"], counts["refused"]) > COUNT // 10
    formats = {name.removeprefix("good ") for name in counts if name.startswith("good ")}
    assert formats == {"JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF"}
