"""The pipeline, with a colorizer that paints everything red: what each photograph becomes, whatever goes wrong."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorize import album as module
from colorize.album import Album
from colorize.album_report import Result
from colorize.album_settings import Settings
from colorize.errors import ColorizeError
from colorize.folders import plan
from colorize.images import Pixels


class Red:
    """Sees a picture at an eighth of its size; ab is (saturation, 0) everywhere."""

    at_full_size = False

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.at_most = 99

    def shrink(self, pixels: Pixels) -> Tensor:
        return torch.zeros(3, pixels.shape[0] // 8, pixels.shape[1] // 8)

    def predict_ab(self, small: Tensor, tta: bool = False) -> Tensor:
        self.batches.append(tuple(small.shape))
        if len(small) > self.at_most:
            raise RuntimeError("out of memory")
        return torch.ones(len(small), 2, *small.shape[2:])

    def merge(self, pixels: Pixels, small: Tensor, ab: Tensor, saturation: float = 1.0) -> Pixels:
        assert small.shape[1:] == ab.shape[1:]
        return self.render(pixels, saturation=saturation)

    def render(self, pixels: Pixels, *, saturation: float = 1.0, tta: bool = False) -> Pixels:
        picture = np.zeros((*pixels.shape[:2], 3), pixels.dtype)
        picture[..., 0] = round(100 * saturation)
        return picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    return Path("album")


def photograph(path: Path, height: int = 16, width: int = 24, color: Any = 77) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(color, int) else "RGB"
    Image.new(mode, (width, height), color).save(path)
    return path


def go(colorizer: Any = None, stopping: Callable[[], bool] = lambda: False, **settings: Any) -> dict[str, Result]:
    """Every photograph of album/ into out/."""
    results: list[Result] = []
    threads = settings.pop("threads", 2)
    chosen = Settings(**settings)
    album = Album(colorizer or Red(), chosen, results.append, threads, stopping)
    for job in plan("album", "out", chosen.format, chosen.side_by_side).jobs:
        album.add(job)
    album.finish()
    if album.disk_full:
        raise ColorizeError(album.disk_full)
    assert len({result.file for result in results}) == len(results)
    assert threading.active_count() == 1 + sum(t.daemon for t in threading.enumerate())
    return {result.file.removeprefix("album/"): result for result in results}


def pixel(path: str) -> Any:
    with Image.open(path) as image:
        return image.size, image.convert("RGB").getpixel((0, 0))


def temporary_files() -> list[Path]:
    return list(Path().rglob(".*"))


def test_every_photograph_becomes_its_picture(folder: Path) -> None:
    for number in range(30):
        photograph(folder / f"{number % 3}/{number}.png", height=16 + number)
    results = go(saturation=2.0)
    assert len(results) == 30
    assert {result.status for result in results.values()} == {"done"}
    for file, result in results.items():
        assert result.output == f"out/{file}"
        assert pixel(result.output) == ((24, 16 + int(Path(file).stem)), (200, 0, 0))
        assert result.seconds > 0
    assert not temporary_files()


def test_photographs_of_one_shape_share_a_batch(folder: Path) -> None:
    for number in range(10):
        photograph(folder / f"{number}.png", height=16 if number % 2 else 40)
    colorizer = Red()
    assert len(go(colorizer, batch_size=3)) == 10
    assert sum(batch[0] for batch in colorizer.batches) == 10
    assert max(batch[0] for batch in colorizer.batches) == 3
    assert len(colorizer.batches) <= 5


@pytest.mark.parametrize("name", ["truncated.jpg", "empty.png", "text.jpg", "bomb.png", "pipe.jpg", "gone.jpg"])
def test_a_bad_file_is_told_and_the_rest_goes_on(folder: Path, name: str) -> None:
    import os

    for number in range(4):
        photograph(folder / f"{number}.png")
    bad = photograph(folder / name, 200, 300)
    match name:
        case "truncated.jpg":
            bad.write_bytes(bad.read_bytes()[:900])
        case "empty.png":
            bad.write_bytes(b"")
        case "text.jpg":
            bad.write_text("no picture")
        case "pipe.jpg":
            bad.unlink()
            os.mkfifo(bad)
        case "gone.jpg":
            bad.unlink()
            bad.symlink_to("nowhere")
    results = go(max_megapixels=0.05)
    assert {file for file, result in results.items() if result.status == "failed"} == {name}
    assert results[name].message.startswith(f"album/{name}: ")
    assert not Path("out", name).exists()
    assert len(list(Path("out").iterdir())) == 4


@pytest.mark.parametrize("stage", ["shrink", "predict_ab", "merge"])
def test_an_error_of_any_stage_lands_on_its_photograph(
    folder: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        photograph(folder / f"{number}.png", height=24 if number == 3 else 16)
    whole = getattr(Red, stage)

    def fails_on_three(self: Red, first: Any, *others: Any, **named: Any) -> Any:
        height = first.shape[2] * 8 if stage == "predict_ab" else first.shape[0]
        if height == 24:
            raise ArithmeticError("a bad day\nfor numbers")
        return whole(self, first, *others, **named)

    monkeypatch.setattr(Red, stage, fails_on_three)
    results = go()
    assert [file for file, result in results.items() if result.status != "done"] == ["3.png"]
    assert results["3.png"].message == "album/3.png: ArithmeticError: a bad day"


def test_a_batch_that_fails_is_tried_photograph_by_photograph(folder: Path) -> None:
    for number in range(6):
        photograph(folder / f"{number}.png")
    colorizer = Red()
    colorizer.at_most = 1
    assert {result.status for result in go(colorizer, batch_size=3).values()} == {"done"}


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


def test_a_full_disk_ends_it_with_whole_files_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        photograph(folder / f"{number:02}.png")
    import os

    from colorize import files

    calls: list[int] = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(ColorizeError, match="The disk of out is full: make room, and the same command goes on"):
        go()
    assert not temporary_files()
    assert len(os.listdir("out")) == 5  # noqa: PTH208
    assert all(pixel(str(path))[1] == (100, 0, 0) for path in Path("out").iterdir())


def test_a_report_on_a_full_disk_ends_it_too(folder: Path) -> None:
    photograph(folder / "a.png")

    def record(result: Result) -> None:
        raise ColorizeError("report.csv") from OSError(errno.ENOSPC, "No space left on device")

    album = Album(Red(), Settings(), record)  # type: ignore[arg-type]
    album.add(plan("album", "out").jobs[0])
    album.finish()
    assert album.disk_full is not None


def test_a_wish_to_end_is_heeded_between_photographs(folder: Path) -> None:
    for number in range(50):
        photograph(folder / f"{number:02}.png")
    done: list[Path] = []

    class Few(Red):
        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            done.append(Path())
            return super().merge(pixels, *others)

    results = go(Few(), stopping=lambda: len(done) > 3, batch_size=2)
    assert 3 < len(results) < 50
    assert sorted(result.output for result in results.values()) == sorted(map(str, Path("out").iterdir()))
    assert not temporary_files()


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


def test_the_network_keeps_its_threads(folder: Path) -> None:
    before = torch.get_num_threads()
    photograph(folder / "a.png")
    go(threads=4)
    assert torch.get_num_threads() == before
