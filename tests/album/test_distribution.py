"""Samples and maps of uncertainty beside the pictures of an album."""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor

from colorize.album.plan import make_plan
from colorize.album.ranks import Ranks
from colorize.album.settings import Settings
from colorize.album.share import color_album
from colorize.album.stop import Stop
from colorize.errors import ColorizeError
from colorize.images import Photograph, Pixels, read_header, read_photograph, write_pages, write_photograph
from colorize.targets import GrayscaleTarget, LabTarget
from tests.album.red import Red, go, photograph, pixel, temporary_files

ASKED: dict[str, Any] = {"samples": 2, "uncertainty": True, "side_by_side": True, "saturation": 0.5}
OTHERS = ("_sample1", "_sample2", "_side_by_side", "_uncertainty")
REDS = {"": 50, "_sample1": 100, "_sample2": 150}  # what `Red` makes of them
DEVIATION = round(25 / 50 * 255)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    return Path("album")


def written() -> list[str]:
    return sorted(path.name for path in Path("out").iterdir() if path.suffix != ".csv")


@pytest.mark.parametrize("file_format", [None, "tiff", "webp", "jpg"])
def test_all_lie_beside_the_picture_in_its_format(folder: Path, file_format: str | None) -> None:
    photograph(folder / "a.b.png")
    photograph(folder / "c.png", 40)
    results = go(format=file_format, quality=100, **ASKED)
    assert {result.status for result in results.values()} == {"done"}
    suffix = f".{file_format or 'png'}"
    assert written() == sorted(f"{name}{what}{suffix}" for name in ("a.b", "c") for what in ("", *OTHERS))
    for what, red in REDS.items():
        size, values = pixel(f"out/c{what}{suffix}")
        assert size == (24, 40)
        assert np.abs(np.subtract(values, (red, 0, 0))).max() <= 3
    with Image.open(f"out/c_uncertainty{suffix}") as image:
        assert image.size == (24, 40)
        assert image.mode == ("RGB" if file_format == "webp" else "L")  # which has no gray
        assert abs(int(np.asarray(image).flat[0]) - DEVIATION) <= 1
    assert not temporary_files()


def test_samples_keep_depth_and_metadata_and_a_map_its_resolution_alone(folder: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Person"
    deep = np.full((16, 24), 77 * 257, np.uint16)
    like = Photograph(deep, alpha=deep // 2, dpi=(300, 300), exif=exif.tobytes(), xmp=b"<x/>")
    write_photograph(folder / "a.png", deep, like)
    go(**ASKED)
    for what in ("", "_sample2"):
        read = read_photograph(Path(f"out/a{what}.png"))
        assert read.pixels.dtype == np.uint16
        assert read.alpha is not None
        assert (read.xmp, read.dpi) == (b"<x/>", pytest.approx((300, 300), abs=0.1))
    drawn = read_photograph(Path("out/a_uncertainty.png"))
    assert drawn.pixels.dtype == np.uint8
    assert (drawn.alpha, drawn.exif, drawn.xmp) == (None, None, None)
    assert drawn.dpi == pytest.approx((300, 300), abs=0.1)


def test_what_is_missing_is_made_and_what_is_there_is_kept(folder: Path) -> None:
    photograph(folder / "a.png")
    for name in ("a", "a_sample2"):
        photograph(Path(f"out/{name}.png"), 1, 1)
    go(**ASKED)
    assert [pixel(f"out/a{what}.png")[0][0] for what in ("", *OTHERS)] == [1, 24, 1, 48, 24]
    go(overwrite=True, **ASKED)
    assert [pixel(f"out/a{what}.png")[0][0] for what in ("", *OTHERS)] == [24, 24, 24, 48, 24]


def color(colorizer: Red, **settings: Any) -> Any:
    plan = make_plan("album", "out", None, False, settings.get("samples", 0), settings.get("uncertainty", False))
    return color_album(plan, colorizer, Settings(num_threads=1, saturation=0.5, **settings), Ranks("cpu"), Stop())  # type: ignore[arg-type]


def test_an_album_that_lacks_a_sample_is_gone_on_with(folder: Path) -> None:
    for name in "ab":
        photograph(folder / f"{name}.png")
    assert color(Red()).summary() == "2 written, 0 kept, 0 failed"
    assert color(Red(), samples=2).summary() == "2 written, 0 kept, 0 failed"
    Path("out/b_sample1.png").unlink()  # as a killed process leaves it
    assert color(Red(), samples=2).summary() == "1 written, 1 kept, 0 failed"
    assert written() == sorted(f"{name}{what}.png" for name in "ab" for what in REDS)
    assert len(Path("out/report.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("asked", [{"temperature": 0.4}, {"samples": 1}, {"uncertainty": True}])
@pytest.mark.parametrize("target", [LabTarget(), GrayscaleTarget()], ids=str)
def test_weights_without_a_distribution_are_refused_before_anything_is_read(
    folder: Path, target: Any, asked: dict[str, Any]
) -> None:
    photograph(folder / "a.png")
    colorizer = Red()
    colorizer.target = target
    colorizer.at_full_size = target.at_full_size
    with pytest.raises(ColorizeError, match="cannot be had from"):
        color(colorizer, **asked)
    assert not Path("out").exists()
    assert colorizer.batches == []


class Honest(Red):
    def shrink(self, pixels: Pixels) -> Tensor:
        small = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max)
        return small.expand(3, *small.shape) if small.ndim == 2 else small.permute(2, 0, 1)


NOISE = np.random.default_rng(0).integers(0, 256, (2, 3, 3), dtype=np.uint8).repeat(32, 0).repeat(32, 1)


def test_a_photograph_already_in_colour_has_neither_samples_nor_a_map(folder: Path) -> None:
    write_photograph(folder / "a.png", NOISE)
    for _ in range(2):
        assert go(Honest(), keep_color=True, **ASKED)["a.png"].status == "colored"
        assert written() == ["a.png"]
        assert Path("out/a.png").read_bytes() == (folder / "a.png").read_bytes()


def test_pages_have_samples_and_maps_of_as_many_pages(folder: Path) -> None:
    gray = NOISE[..., 0] // 255 + 77
    with write_pages(folder / "scan.tif") as add:
        for pixels in (gray, NOISE, gray[:32].astype(np.uint16) * 257):
            add(pixels, Photograph(pixels))
    assert go(Honest(), keep_color=True, **ASKED)["scan.tif"].status == "done"
    assert written() == sorted(f"scan{what}.tif" for what in ("", *OTHERS))
    for number, height in enumerate((64, 64, 32)):
        maps, *colored = (
            read_photograph(Path(f"out/scan{what}.tif"), page=number).pixels for what in ("_uncertainty", *REDS)
        )
        assert (maps.dtype, maps.shape) == (np.uint8, (height, 96))
        assert (maps == (0 if number == 1 else DEVIATION)).all()  # its own colours are sure
        for picture, red in zip(colored, REDS.values(), strict=True):
            assert (picture == (NOISE if number == 1 else (red, 0, 0))).all()
    assert read_header(Path("out/scan_uncertainty.tif")).pages == 3


@pytest.mark.parametrize("name", ["a.png", "scan.tif"])
def test_one_picture_of_a_photograph_is_in_memory_at_a_time(folder: Path, name: str) -> None:
    if name == "a.png":
        photograph(folder / name)
    else:
        with write_pages(folder / name) as add:
            for _ in range(2):
                add(np.full((16, 24), 77, np.uint8), Photograph(np.full((16, 24), 77, np.uint8)))
    made: list[Any] = []

    class Counting(Red):
        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            assert [reference() for reference in made if reference() is not None] == []
            picture = super().merge(pixels, *others)
            made.append(weakref.ref(picture))
            return picture

    assert go(Counting(), **ASKED)[name].status == "done"
    assert len(made) == (3 if name == "a.png" else 6)  # the colouring itself serves side by side too


def test_names_of_samples_and_maps_are_no_other_pictures(folder: Path) -> None:
    photograph(folder / "a.png")
    photograph(folder / "a_sample2.png")
    assert len(make_plan("album", "out", samples=1, uncertainty=True).jobs) == 2
    with pytest.raises(ColorizeError, match=r"would both be written to out/a_sample2\.png: rename one of them"):
        make_plan("album", "out", samples=2)
    photograph(folder / "a_uncertainty.jpg")
    with pytest.raises(ColorizeError, match=r"would both be written to out/a_uncertainty\.png"):
        make_plan("album", "out", "png", uncertainty=True)
