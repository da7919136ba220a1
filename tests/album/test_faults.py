"""The pipeline when files are bad, a stage fails, the disk is full, or the user wants it to end."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from colorize import files
from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import make_plan
from colorize.album.settings import Settings
from colorize.errors import ColorizeError
from colorize.images import Pixels
from tests.album.red import Red, go, photograph, pixel, temporary_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    return Path("album")


@pytest.mark.parametrize("name", ["truncated.jpg", "empty.png", "text.jpg", "bomb.png", "pipe.jpg", "gone.jpg"])
def test_a_bad_file_is_told_and_the_rest_goes_on(folder: Path, name: str) -> None:
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


def test_a_file_whose_state_cannot_be_asked_is_told_and_the_rest_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        photograph(folder / f"{number}.png")
    stat = Path.stat

    def stale(path: Path, **options: bool) -> os.stat_result:
        if path == folder / "1.png":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", stale)
    results = go()
    assert {file for file, result in results.items() if result.status == "failed"} == {"1.png"}
    assert results["1.png"].message == "album/1.png: Stale file handle"


@pytest.mark.parametrize("stage", ["shrink", "predict_colors", "merge"])
def test_an_error_of_any_stage_lands_on_its_photograph(
    folder: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        photograph(folder / f"{number}.png", height=24 if number == 3 else 16)
    whole = getattr(Red, stage)

    def fails_on_three(self: Red, first: Any, *others: Any, **named: Any) -> Any:
        height = first.shape[2] * 8 if stage == "predict_colors" else first.shape[0]
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


def test_a_full_disk_ends_it_with_whole_files_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        photograph(folder / f"{number:02}.png")
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


def test_a_ledger_on_a_full_disk_ends_it_too(folder: Path) -> None:
    photograph(folder / "a.png")

    def record(result: LedgerRow) -> None:
        raise ColorizeError("report.csv") from OSError(errno.ENOSPC, "No space left on device")

    pipeline = Pipeline(Red(), Settings(), record)  # type: ignore[arg-type]
    pipeline.add(make_plan("album", "out").jobs[0])
    pipeline.finish()
    assert pipeline.disk_full is not None


def test_a_ledger_that_cannot_be_written_is_no_full_disk(folder: Path) -> None:
    photograph(folder / "a.png")

    def record(result: LedgerRow) -> None:
        raise ColorizeError("report.csv cannot be written") from OSError(errno.EACCES, "Permission denied")

    pipeline = Pipeline(Red(), Settings(), record)  # type: ignore[arg-type]
    with pytest.raises(ColorizeError, match=r"report\.csv cannot be written"):
        pipeline.run(make_plan("album", "out").jobs)
    assert pipeline.disk_full is None


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


def test_a_broken_link_that_a_pattern_matches_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("nowhere")
    assert [job.file.name for job in make_plan(str(tmp_path / "*.png"), str(tmp_path / "out")).jobs] == ["a.png"]
