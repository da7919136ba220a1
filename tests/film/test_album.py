"""A folder of films and photographs: what becomes of each, told once and written down."""

from __future__ import annotations

import csv
import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

import colorize.film.album
from colorize.album.outcome import Outcome
from colorize.album.plan import make_plan
from colorize.album.stop import Stop
from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError
from colorize.film.album import FilmAlbum
from colorize.film.make import make_film
from tests.album.red import photograph
from tests.film.films import Painter, lumas, write_film


def predict_config(*overrides: str) -> Any:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return compose("predict", overrides=["input=x", *overrides])


def color(folder: Path, *overrides: str, stop: Stop | None = None) -> tuple[Outcome, dict[str, dict[str, str]]]:
    plan = make_plan(str(folder), str(folder.parent / "out"))
    outcome = Outcome()
    FilmAlbum(plan, predict_config("codec=ffv1", *overrides), 1).color(Painter(), outcome, stop or Stop())  # type: ignore[arg-type]
    with (folder.parent / "out/report.csv").open(newline="") as file:
        return outcome, {Path(row["file"]).name: row for row in csv.DictReader(file)}


def test_each_film_has_a_row_and_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "films"
    photograph(folder / "photo.png")
    write_film(folder / "a.mkv", 3)
    (folder / "b").mkdir()
    write_film(folder / "b/c.ts", 3, codec="mpeg2video", rate=25)
    (folder / "bad.avi").write_text("no film")
    outcome, rows = color(folder)
    assert {name: row["status"] for name, row in rows.items()} == {"a.mkv": "done", "c.ts": "done", "bad.avi": "failed"}
    assert "cannot be read as a film" in rows["bad.avi"]["message"]
    assert (outcome.total, outcome.left, outcome.failed) == (3, 0, [rows["bad.avi"]["message"]])
    assert len(lumas(tmp_path / "out/a.mkv")) == len(lumas(tmp_path / "out/b/c.mkv")) == 3
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert written == {"a.mkv", "b", "b/c.mkv", "report.csv"}

    outcome, rows = color(folder)
    assert outcome.counts == {"kept": 2, "failed": 1}
    assert rows["a.mkv"]["status"] == "done"


def test_a_stopped_album_says_what_is_left(tmp_path: Path) -> None:
    write_film(tmp_path / "films/a.mkv", 3)
    write_film(tmp_path / "films/b.mkv", 3)
    stop = Stop()
    stop.asked = True
    outcome, rows = color(tmp_path / "films", stop=stop)
    assert outcome.stopped
    assert outcome.left == 2
    assert not rows


def test_a_full_disk_ends_the_album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_film(tmp_path / "films/a.mkv", 3)
    write_film(tmp_path / "films/b.mkv", 3)
    monkeypatch.setattr(colorize.film.album, "make_film", full)
    outcome, rows = color(tmp_path / "films")
    assert "is full: make room, and the same command goes on from here." in str(outcome.disk_full)
    assert outcome.left == 2
    assert not rows


def test_a_film_that_meets_an_unknown_error_is_a_row_and_the_next_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory_once(file: Path, *arguments: Any) -> list[str]:
        if file.name == "a.mkv":
            raise torch.OutOfMemoryError("out of memory")
        return make_film(file, *arguments)

    write_film(tmp_path / "films/a.mkv", 3)
    write_film(tmp_path / "films/b.mkv", 3)
    monkeypatch.setattr(colorize.film.album, "make_film", out_of_memory_once)
    outcome, rows = color(tmp_path / "films")
    assert {name: row["status"] for name, row in rows.items()} == {"a.mkv": "failed", "b.mkv": "done"}
    assert outcome.failed == [f"{tmp_path}/films/a.mkv: OutOfMemoryError: out of memory"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("codec=divx", "codec=divx is not possible: give h264, hevc, av1, prores, ffv1"),
        ("crf=-1", "crf=-1 is not possible"),
        ("crf=60", "crf=60 is not possible with codec=h264: give at most 51"),
        ("smooth=2", "smooth=2 is not possible: give a number from 0 to 1"),
        ("codec=prores", "codec=prores cannot be in .mp4: use an output that ends in .mov or .mkv"),
        ("crf=0 codec=hevc", "crf=0, lossless, is not possible with codec=hevc"),
        ("side_by_side=true", "side_by_side=true is for photographs"),
        ("samples=3", "samples=3 is for photographs, .*: leave it out, or colour the photographs alone, by patterns"),
    ],
)
def test_settings_that_are_not_possible_are_told_before_anything_is_read(
    override: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(ColorizeError, match=words):
        FilmAlbum(make_plan(str(tmp_path / "a.mp4")), predict_config(*override.split()), 1)


def test_weights_that_take_colour_away_are_refused(tmp_path: Path) -> None:
    write_film(tmp_path / "films/a.mkv", 3)
    painter = Painter()
    painter.at_full_size = True
    plan = make_plan(str(tmp_path / "films"), str(tmp_path / "out"))
    with pytest.raises(ColorizeError, match="take colour away"):
        FilmAlbum(plan, predict_config(), 1).color(painter, Outcome(), Stop())  # type: ignore[arg-type]
