"""The pipeline: what photographs become, in which batches, overlapped, and how many of them are in memory."""

import itertools
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorize.album import pipeline as module
from colorize.images import Pixels, write_photograph
from colorize.inference.colors import Colors
from tests.album.red import Red, go, photograph, pixel, temporary_files
from tests.images.test_header import HEIC, FakeHeif


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    return Path("album")


def test_every_photograph_becomes_its_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=itertools.count().__next__))
    for number in range(30):
        photograph(folder / f"{number % 3}/{number}.png", height=16 + number)
    results = go(saturation=2.0)
    assert len(results) == 30
    assert {result.status for result in results.values()} == {"done"}
    for file, result in results.items():
        assert result.output == f"out/{file}"
        assert pixel(result.output) == ((24, 16 + int(Path(file).stem)), (200, 0, 0))
        assert result.seconds >= 2  # one to read it, one to write it
    assert not temporary_files()


def test_photographs_of_one_shape_share_a_batch(folder: Path) -> None:
    for number in range(10):
        photograph(folder / f"{number}.png", height=16 if number % 2 else 40)
    colorizer = Red()
    assert len(go(colorizer, batch_size=3)) == 10
    assert sum(batch[0] for batch in colorizer.batches) == 10
    assert max(batch[0] for batch in colorizer.batches) == 3
    assert len(colorizer.batches) <= 5


def test_reading_and_writing_go_on_at_the_same_time(folder: Path) -> None:
    photograph(folder / "0.png", height=16)
    photograph(folder / "1.png", height=24)
    second_is_read = threading.Event()

    class Patient(Red):
        def shrink(self, pixels: Pixels) -> Tensor:
            if len(pixels) == 24:
                second_is_read.set()
            return super().shrink(pixels)

        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            assert second_is_read.wait(60)
            return super().merge(pixels, *others)

    assert {result.status for result in go(Patient(), batch_size=1, threads=1).values()} == {"done"}


@pytest.mark.parametrize("most_at_once", [1, 3])
def test_photographs_in_memory_are_bounded(folder: Path, most_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        photograph(folder / f"{number}.png", height=16 + 8 * (number % 4), width=48 - 8 * (number % 4))
    monkeypatch.setattr(module, "MEGAPIXELS_IN_FLIGHT", (16 * 48 * most_at_once + 500) / 1e6)
    lock, alive, most = threading.Lock(), 0, 0

    def change(by: int) -> None:
        nonlocal alive, most
        with lock:
            alive += by
            most = max(most, alive)

    class Counting(Red):
        def shrink(self, pixels: Pixels) -> Tensor:
            change(1)
            return super().shrink(pixels)

        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            change(-1)
            return super().merge(pixels, *others)

    assert len(go(Counting(), batch_size=4, threads=4)) == 12
    assert most <= most_at_once
    assert alive == 0


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("depth", "weight"), [(np.uint8, 1), (np.uint16, 2)])
@pytest.mark.parametrize("shape", [(50, 40), (50, 40, 3)])
def test_sixteen_bits_count_twice(
    tmp_path: Path, suffix: str, depth: type, weight: int, shape: tuple[int, ...]
) -> None:
    write_photograph(tmp_path / f"a{suffix}", np.zeros(shape, depth))
    assert module._megapixels(module._header(tmp_path / f"a{suffix}")) == weight * 0.002


def test_a_heic_counts_by_its_header(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(HeifImageFile=FakeHeif))  # type: ignore[arg-type]
    (folder / "a.heic").write_bytes(HEIC)
    assert module._megapixels(module._header(folder / "a.heic")) == pytest.approx(4032 * 3024 / 1e6)
    assert module._megapixels(module._header(folder / "gone.heic")) == 0


def test_what_is_there_is_kept_unless_told_otherwise(folder: Path) -> None:
    photograph(folder / "a.png")
    photograph(Path("out/a.png"), 1, 1)
    assert go(side_by_side=True)["a.png"].status == "done"
    assert pixel("out/a.png")[0] == (1, 1)
    assert pixel("out/a_side_by_side.png") == ((48, 16), (77, 77, 77))
    go(overwrite=True)
    assert pixel("out/a.png") == ((24, 16), (100, 0, 0))


@pytest.mark.parametrize("color", [77, (10, 20, 200)])
def test_side_by_side_shows_before_and_after(folder: Path, color: Any) -> None:
    photograph(folder / "a.png", color=color)
    go(side_by_side=True)
    with Image.open("out/a_side_by_side.png") as image:
        assert image.size == (48, 16)
        assert image.getpixel((23, 0)) == ((77, 77, 77) if color == 77 else color)
        assert image.getpixel((24, 0)) == (100, 0, 0)


def test_colour_is_left_alone_when_asked(folder: Path) -> None:
    class Honest(Red):
        needs_color = False

        def shrink(self, pixels: Pixels) -> Tensor:
            small = torch.from_numpy(pixels[::8, ::8].astype(np.float32) / 255)
            return small.expand(3, *small.shape) if small.ndim == 2 else small.permute(2, 0, 1)

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((240, 160)).save(folder / "colour.jpg", quality=40)
    photograph(folder / "gray.png", 160, 240)
    results = go(Honest(), keep_color=True, side_by_side=True)
    assert (results["colour.jpg"].status, results["gray.png"].status) == ("colored", "done")
    assert Path("out/colour.jpg").read_bytes() == (folder / "colour.jpg").read_bytes()
    assert not Path("out/colour_side_by_side.jpg").exists()
    assert go(Honest(), keep_color=True, format="png")["colour.jpg"].status == "colored"
    with Image.open("out/colour.png") as picture, Image.open(folder / "colour.jpg") as original:
        assert np.array_equal(np.asarray(picture), np.asarray(original))


def test_a_network_at_full_size_renders(folder: Path) -> None:
    photograph(folder / "a.png")

    class Whole(Red):
        at_full_size = True

    colorizer = Whole()
    assert go(colorizer)["a.png"].status == "done"
    assert pixel("out/a.png") == ((24, 16), (100, 0, 0))
    assert colorizer.batches == []


def test_a_photograph_alone_has_all_the_threads(folder: Path) -> None:
    photograph(folder / "a.png")
    seen: dict[str, int] = {}

    class Looking(Red):
        def shrink(self, pixels: Pixels) -> Tensor:
            seen["read"] = torch.get_num_threads()
            return super().shrink(pixels)

        def predict_colors(self, small: Tensor, **asked: Any) -> Colors:
            seen["network"] = torch.get_num_threads()
            return super().predict_colors(small, **asked)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        go(Looking(), threads=2)
        assert seen == {"read": 2, "network": 2}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
