"""Folders in, folders out: names, bad files, the report."""

import csv
from pathlib import Path

import numpy as np
import pytest

from colorize.colorizer import Colorizer
from colorize.errors import ColorizeError
from colorize.folders import plan, process, write_report
from colorize.images import read_rgb, write_image
from colorize.tasks import LabTask


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    (folder / "sub").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    for name in ("a.png", "sub/b.jpg", "sub/c d ä.tiff"):
        write_image(folder / name, pixels)
    return folder


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    network = {"name": "UNet", "width": 4, "depth": 1}
    return Colorizer(LabTask(network=network, loss={"name": "mse"}, optimizer={"name": "Adam"}), 16, device="cpu")


def test_a_folder_keeps_its_tree_and_formats(album: Path, tmp_path: Path) -> None:
    (album / "d.gif").write_bytes(b"GIF89a")
    targets = {str(target.relative_to(tmp_path / "out")) for _, target in plan(album, tmp_path / "out")}
    assert targets == {"a.png", "sub/b.jpg", "sub/c d ä.tiff", "d.png"}
    assert plan(album / "a.png", tmp_path / "out") == [(album / "a.png", tmp_path / "out" / "a.png")]


def test_nothing_is_written_over_an_input_or_twice(album: Path, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="would write over"):
        plan(album, album)
    (album / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(ColorizeError, match="would both be written to"):
        plan(album, tmp_path / "out")
    with pytest.raises(ColorizeError, match="does not exist"):
        plan(tmp_path / "nothing", tmp_path / "out")


def test_a_bad_file_is_told_and_the_rest_goes_on(album: Path, tmp_path: Path, colorizer: Colorizer) -> None:
    (album / "bad.jpg").write_text("no picture")
    report = tmp_path / "out" / "report.csv"
    results = write_report(report, process(colorizer, plan(album, tmp_path / "out")))
    assert {Path(result.file).name: result.status for result in results} == {
        "a.png": "done",
        "bad.jpg": "failed",
        "b.jpg": "done",
        "c d ä.tiff": "done",
    }
    assert not (tmp_path / "out" / "bad.jpg").exists()
    assert read_rgb(tmp_path / "out" / "sub" / "c d ä.tiff").shape == (20, 31, 3)
    with report.open(newline="", encoding="utf-8") as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    assert "cannot be read as a photograph" in rows["bad.jpg"]["message"]
    assert rows["a.png"]["output"] == str(tmp_path / "out" / "a.png")
    assert float(rows["a.png"]["seconds"]) > 0


def test_existing_outputs_are_kept_unless_told_otherwise(album: Path, tmp_path: Path, colorizer: Colorizer) -> None:
    jobs = plan(album / "a.png", tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("mine")
    assert [result.status for result in process(colorizer, jobs)] == ["kept"]
    assert (tmp_path / "out" / "a.png").read_text() == "mine"
    assert [result.status for result in process(colorizer, jobs, overwrite=True)] == ["done"]
    assert read_rgb(tmp_path / "out" / "a.png").shape == (20, 31, 3)
