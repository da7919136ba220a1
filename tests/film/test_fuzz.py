"""Hundreds of broken films: each is coloured as far as it goes or refused, and the process lives."""

from pathlib import Path

import pytest

from tests.mutated import run_fuzz

COUNT = 500


@pytest.mark.slow
def test_no_mutated_film_crashes_or_hangs_the_process(tmp_path: Path) -> None:
    counts = run_fuzz("tests.film.fuzz", COUNT, tmp_path, timeout=1800)
    assert counts.pop("left") == 0
    assert sum(counts.values()) == COUNT
    assert min(counts["refused"], counts["whole"]) > COUNT // 20
