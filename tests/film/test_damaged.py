"""Damaged and odd films: coloured as far as they go, with a word, or refused in one sentence that leaves nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from colorize.errors import ColorizeError
from colorize.film.make import make_film
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, gray, lumas, times, write_film


def make(film: Path, suffix: str = ".mkv") -> tuple[Path, list[str]]:
    """In a folder of its own, which holds nothing else afterwards."""
    output = film.parent / "out" / f"film{suffix}"
    notes = make_film(film, output, Painter(), FilmSettings("ffv1", tta=False), 1)  # type: ignore[arg-type]
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    return output, notes


def cut(film: Path, share: float) -> Path:
    data = film.read_bytes()
    film.write_bytes(data[: int(share * len(data))])
    return film


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("a.mp4", "libx264"), ("a.webm", "libvpx-vp9"), ("a.ts", "mpeg2video")]
)
def test_a_cut_film_is_coloured_as_far_as_it_goes(name: str, codec: str, tmp_path: Path) -> None:
    fast = {"movflags": "faststart"} if name.endswith("mp4") else None
    film = write_film(tmp_path / name, 60, codec=codec, rate=25, container_options=fast)
    output, notes = make(cut(film, 0.6))
    assert 10 < len(lumas(output)) < 60
    if not name.endswith("ts"):  # which does not say how long it is
        assert "seconds before its end" in " ".join(notes)


def test_frames_of_another_size_are_coloured_in_the_first_ones(tmp_path: Path) -> None:
    both = [write_film(tmp_path / f"{n}.h264", 12, codec="libx264", size=(48 * n, 64 * n)).read_bytes() for n in (1, 2)]
    (tmp_path / "film.h264").write_bytes(b"".join(both))
    output, notes = make(tmp_path / "film.h264")
    made = lumas(output)
    assert [luma.shape for luma in made] == [(48, 64)] * 24
    assert "its frames change their size: all were brought to the first one's" in notes


def test_frames_without_time_stamps_follow_each_other(tmp_path: Path) -> None:
    output, notes = make(write_film(tmp_path / "film.h264", 12, codec="libx264", rate=25))
    assert times(output) == pytest.approx([number / 25 for number in range(12)], abs=1e-3)
    assert notes == ["frames without a time stamp follow each other at the film's rate"]


def test_a_film_that_starts_late_and_has_gaps_keeps_its_times(tmp_path: Path) -> None:
    stamps = [5000, 5040, 5041, 5600, 9000, 9040]
    film = write_film(tmp_path / "film.mkv", 6, base=Fraction(1, 1000), rate=25, stamps=stamps)
    output, notes = make(film)
    assert steps(times(output)) == pytest.approx(steps([stamp / 1000 for stamp in stamps]), abs=1e-3)
    assert notes == []


def steps(values: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(values)]


def test_a_name_is_no_address_whatever_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg takes what is before a colon for a protocol, such as http: or concat:."""
    monkeypatch.chdir(tmp_path)
    film = write_film(tmp_path / "part:1/concat:2 \udcff%d.mkv", 3).relative_to(tmp_path)
    output = Path("part:1/out:2 \udcff%d.mkv")
    make_film(film, output, Painter(), FilmSettings("ffv1"))  # type: ignore[arg-type]
    assert len(lumas(tmp_path / output)) == 3


def test_a_single_frame_is_a_film(tmp_path: Path) -> None:
    output, notes = make(write_film(tmp_path / "film.mkv", 1))
    assert (lumas(output)[0] == gray(0)).all()
    assert notes == []


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: write_film(path, 0), "cannot be read as a film|has no frame"),
        (lambda path: cut(write_film(path, 12), 0.02), "cannot be read as a film|has no frame"),
        (lambda path: path.write_text("no film"), "cannot be read as a film"),
        (lambda path: path.mkdir(), "cannot be read as a film: Is a directory"),
    ],
)
def test_what_is_refused_leaves_nothing(write: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    write(film)
    with pytest.raises(ColorizeError, match=words) as caught:
        make(film)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]
