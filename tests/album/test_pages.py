"""A TIFF of several pages through the pipeline: each is coloured, and they are pages again."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from torch import Tensor

from colorize import files
from colorize.album import pipeline
from colorize.errors import ColorizeError
from colorize.images import Photograph, Pixels, read_header, read_photograph, write_pages
from tests.album.red import Red, go, photograph, temporary_files

PAGES = [
    Photograph(np.full((16, 24), 77, np.uint8), dpi=(300, 300)),
    Photograph(np.full((24, 16), 77 * 257, np.uint16), alpha=np.full((24, 16), 9, np.uint16)),
    Photograph(np.full((16, 16, 3), 77, np.uint8), xmp=b"<x/>"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    with write_pages(Path("album/scan.tif")) as add:
        for page in PAGES:
            add(page.pixels, page)
    return Path("album")


def pages(path: str) -> list[Photograph]:
    return [read_photograph(Path(path), page=number) for number in range(read_header(Path(path)).pages)]


@pytest.mark.parametrize("at_full_size", [False, True])
def test_each_page_is_coloured_at_its_depth_with_its_metadata(
    folder: Path, at_full_size: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph(folder / "before.png")
    photograph(folder / "then.png")
    monkeypatch.setattr(Red, "at_full_size", at_full_size)
    results = go()
    assert {name: result.status for name, result in results.items()} == dict.fromkeys(
        ("before.png", "scan.tif", "then.png"), "done"
    )
    for before, after in zip(PAGES, pages("out/scan.tif"), strict=True):
        assert after.pixels.dtype == before.pixels.dtype
        assert after.pixels.shape == (*before.pixels.shape[:2], 3)
        assert (after.pixels == (100, 0, 0)).all()
        assert after.xmp == before.xmp
        assert (after.alpha is None) == (before.alpha is None)
    assert pages("out/scan.tif")[0].dpi == (300, 300)


def test_other_formats_are_refused_in_one_sentence(folder: Path) -> None:
    result = go(format="png")["scan.tif"]
    assert result.status == "failed"
    assert result.message == "album/scan.tif: has 3 pages, which no .png holds: use format=tiff"
    assert not list(Path("out").rglob("*"))
    (folder / "scan.tif").rename(folder / "scan.jpg")
    assert go()["scan.jpg"].message == "album/scan.jpg: has 3 pages, which no .jpg holds: use format=tiff"
    assert go(format="tiff")["scan.jpg"].status == "done"
    assert read_header(Path("out/scan.tiff")).pages == 3


@pytest.mark.usefixtures("folder")
def test_pages_that_are_there_are_kept_unless_told_otherwise() -> None:
    photograph(Path("out/scan.tif"))
    go(side_by_side=True)
    pages = [read_header(Path(f"out/{name}.tif")).pages for name in ("scan", "scan_side_by_side")]
    assert pages == [1, 3]
    go(overwrite=True)
    assert read_header(Path("out/scan.tif")).pages == 3


def test_side_by_side_has_pages_too(folder: Path) -> None:
    assert go(side_by_side=True)["scan.tif"].status == "done"
    for before, both in zip(PAGES, pages("out/scan_side_by_side.tif"), strict=True):
        height, width = before.pixels.shape[:2]
        assert both.pixels.shape == (height, 2 * width, 3)
        assert (both.pixels[:, :width] == before.pixels[0, 0]).all()
        assert (both.pixels[:, width:] == (100, 0, 0)).all()
        assert both.alpha is None
    Path("out/scan.tif").write_bytes(b"kept")
    go(side_by_side=True)
    assert Path("out/scan.tif").read_bytes() == b"kept"


class Honest(Red):
    def shrink(self, pixels: Pixels) -> Tensor:
        small = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max)
        return small.expand(3, *small.shape) if small.ndim == 2 else small.permute(2, 0, 1)


NOISE = np.random.default_rng(0).integers(0, 256, (2, 3, 3), dtype=np.uint8).repeat(32, 0).repeat(32, 1)


def test_pages_in_colour_are_left_alone_when_asked(folder: Path) -> None:
    gray = NOISE[..., :1].repeat(3, 2)
    with write_pages(folder / "scan.tif") as add:
        for pixels in (gray, NOISE, gray):
            add(pixels, Photograph(pixels))
    assert go(Honest(), keep_color=True)["scan.tif"].status == "done"
    for number, page in enumerate(pages("out/scan.tif")):
        assert np.array_equal(page.pixels, NOISE) == (number == 1)


def test_a_file_whose_pages_are_all_in_colour_is_copied(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "scan.tif", byteorder=">") as file:
        for _ in range(3):
            file.write(NOISE, description="by another program")
    result = go(Honest(), keep_color=True, side_by_side=True)["scan.tif"]
    assert (result.status, result.message) == ("colored", "already in colour: copied")
    assert Path("out/scan.tif").read_bytes() == (folder / "scan.tif").read_bytes()
    assert [path.name for path in Path("out").iterdir()] == ["scan.tif"]  # nothing to show side by side
    (folder / "scan.tif").rename(folder / "scan.jpg")
    assert go(Honest(), keep_color=True, format="tiff")["scan.jpg"].status == "colored"
    assert Path("out/scan.tiff").read_bytes() == (folder / "scan.jpg").read_bytes()


@pytest.mark.parametrize("stage", ["shrink", "predict_colors", "merge"])
def test_what_fails_on_a_page_leaves_nothing(folder: Path, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph(folder / "then.png")
    whole = getattr(Red, stage)

    def fails_on_the_second(self: Red, first: Any, *others: Any, **named: Any) -> Any:
        height = first.shape[2] * 8 if stage == "predict_colors" else first.shape[0]
        if height == 24:
            raise ArithmeticError("a bad day")
        return whole(self, first, *others, **named)

    monkeypatch.setattr(Red, stage, fails_on_the_second)
    results = go()
    assert results["scan.tif"].message == "album/scan.tif: ArithmeticError: a bad day"
    assert results["then.png"].status == "done"
    assert [path.name for path in Path("out").iterdir()] == ["then.png"]


def test_a_page_that_cannot_be_read_is_told(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "scan.tif") as file:
        for value in (1, np.nan):
            file.write(np.full((8, 8), value, np.float32))
    result = go()["scan.tif"]
    assert result.status == "failed"
    assert "its values go from nan" in result.message
    assert not list(Path("out").iterdir())


def test_a_full_disk_ends_it_without_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(ColorizeError, match="The disk of out is full"):
        go()
    assert not list(Path("out").iterdir())


def test_a_wish_to_end_is_heeded_between_pages(folder: Path) -> None:
    colorizer = Red()
    assert go(colorizer, stopping=lambda: len(colorizer.batches) > 1) == {}
    assert len(colorizer.batches) == 2
    assert not list(Path("out").iterdir())


def test_pages_wait_for_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        photograph(folder / f"{number}.png", 64, 64)
    monkeypatch.setattr(pipeline, "MEGAPIXELS_IN_FLIGHT", 64 * 64 / 1e6)
    reading: list[int] = []

    class Counting(Red):
        def shrink(self, pixels: Pixels) -> Tensor:
            reading.append(1)
            return super().shrink(pixels)

        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            assert len(reading) == 1
            reading.pop()
            return super().merge(pixels, *others)

    assert {result.status for result in go(Counting(), threads=4).values()} == {"done"}
    assert not temporary_files()
