"""A folder of hundreds of damaged files and some good ones: every good one is done, nothing else happens."""

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.images import fuzz
from tests.mutated import mutate

pytestmark = pytest.mark.slow
COUNT = 600


def test_good_files_among_damaged_ones_are_all_done(commands: Any, trained: Any, tmp_path: Path) -> None:
    photographs, pictures = tmp_path / "photographs", tmp_path / "pictures"
    photographs.mkdir()
    choose = random.Random(0)
    good = list(fuzz.corpus(tmp_path))
    suffixes = (".jpg", ".png", ".tif", ".webp")  # what a file is its content says
    for number, data in enumerate(good):
        (photographs / f"good-{number:04}{suffixes[number % 4]}").write_bytes(data)
    for number in range(COUNT):
        damaged = mutate(good[number % len(good)], choose)
        (photographs / f"damaged-{number:04}{suffixes[number % 4]}").write_bytes(damaged)

    words = [f"checkpoint={trained.best}", f"input={photographs}", f"output={pictures}", "max_megapixels=20"]
    finished = commands("predict.py", *words)

    assert finished.code == 1, finished.err
    assert "Traceback" not in finished.err
    with (pictures / "report.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == COUNT + len(good)
    status = {Path(row["file"]).name: row["status"] for row in rows}
    assert {name for name in status if name.startswith("good")} == {
        name for name, how in status.items() if name.startswith("good") and how == "done"
    }
    counts = Counter(status.values())
    assert set(counts) == {"done", "failed"}
    assert counts["failed"] > COUNT / 4
    assert all(row["message"] for row in rows if row["status"] == "failed")
    written = [path for path in pictures.iterdir() if path.name != "report.csv"]
    assert len(written) == counts["done"]
    for path in written:
        with Image.open(path) as picture:
            picture.load()
