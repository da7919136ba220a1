"""What a film holds beside its pictures: copied bit for bit, or told in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from colorize.errors import ColorizeError
from colorize.film.make import make_film
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, write_film
from tests.film.rich import FONT, write_rich_film


@dataclass(frozen=True)
class Track:
    """Its kind and codec, its bytes, when they are shown (seconds), and its language."""

    kind: str
    contents: list[bytes]
    times: list[float]
    language: str | None


def tracks(path: Path) -> list[Track]:
    """All tracks but the pictures; covers are named so."""
    with av.open(str(path)) as container:
        found: dict[int, Track] = {}
        for stream in container.streams:
            context: Any = None if stream.type in ("attachment", "data") else stream.codec_context
            cover = stream.disposition & Disposition.attached_pic
            kind = "cover" if cover else stream.type if context is None else f"{stream.type} {context.name}"
            found[stream.index] = Track(kind, [], [], stream.metadata.get("language"))
            if stream.type == "attachment":
                found[stream.index].contents.append(stream.data)
        for packet in container.demux():
            if packet.size:
                found[packet.stream.index].contents.append(bytes(packet))
                found[packet.stream.index].times.append(float((packet.pts or 0) * (packet.time_base or 0)))
        del found[container.streams.video[0].index]
        return list(found.values())


def make(film: Path, suffix: str) -> tuple[list[Track], list[str]]:
    output = film.with_name(f"out{suffix}")
    notes = make_film(film, output, Painter(), FilmSettings(tta=False), 1)  # type: ignore[arg-type]
    return tracks(output), notes


ALL: dict[str, Any] = {"sounds": ("flac", "aac"), "subtitles": ("srt", "ass", "vtt"), "font": True, "cover": True}
APPLE: dict[str, Any] = {"sounds": ("aac", "aac"), "subtitles": ("mov_text",), "cover": True}
WEB: dict[str, Any] = {"codec": "libvpx-vp9", "sounds": ("libopus",), "subtitles": ("vtt",)}


@pytest.mark.parametrize(
    ("own", "suffix", "what", "left_out"),
    [
        (".mkv", ".mkv", ALL, ()),
        (".mkv", ".mp4", ALL, ("subtitle (srt)", "subtitle (ssa)", "subtitle (webvtt)", "attachment (font.ttf)")),
        (".mp4", ".mp4", APPLE, ()),
        (".mp4", ".mov", APPLE, ("cover",)),
        (".mp4", ".mkv", APPLE, ("subtitle (mov_text)",)),
        (".mp4", ".avi", APPLE, ("cover", "subtitle (mov_text)")),
        (".webm", ".webm", WEB, ()),
        (".webm", ".mkv", WEB, ()),
        (".webm", ".mp4", WEB, ("subtitle (webvtt)",)),
        (".ts", ".mov", {"data": "klv"}, ()),
        (".ts", ".mkv", {"data": "klv"}, ("data",)),
    ],
)
def test_tracks_are_copied_bit_for_bit_or_told(
    own: str, suffix: str, what: dict[str, Any], left_out: tuple[str, ...], tmp_path: Path
) -> None:
    film = write_rich_film(tmp_path / f"film{own}", **what)
    made, notes = make(film, suffix)
    assert len(notes) == len(left_out)
    assert all(any(words in note and suffix in note for note in notes) for words in left_out)
    codecs = [word.split(" (")[-1].rstrip(")") for word in left_out]
    kept = [track for track in tracks(film) if not any(codec in track.kind for codec in codecs)]
    kept = [track for track in kept if track.contents != [FONT] or "font.ttf" not in codecs]
    assert [track.kind for track in made] == [track.kind for track in kept]
    for new, old in zip(made, kept, strict=True):
        if own != ".ts" or old.kind == "data":  # its AAC has headers that others do not know
            assert new.contents == old.contents
        assert len(new.times) == len(old.times)
        if old.language not in (None, "und") and suffix != ".avi":
            assert new.language == old.language


def test_subtitles_and_sound_stay_where_they_were(tmp_path: Path) -> None:
    film = write_rich_film(tmp_path / "film.mkv", **ALL)
    made, _ = make(film, ".mkv")
    assert [track.times for track in made] == [track.times for track in tracks(film)]


def test_sound_that_the_container_cannot_hold_is_refused(tmp_path: Path) -> None:
    film = write_rich_film(tmp_path / "film.mkv", sounds=("aac", "flac"))
    with pytest.raises(
        ColorizeError, match=r"its sound, track 1, cannot be in .webm: give an output that ends in .mkv"
    ):
        make(film, ".webm")
    assert {path.name for path in tmp_path.iterdir()} == {"film.mkv"}


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_a_timecode_goes_along(suffix: str, tmp_path: Path) -> None:
    def stamp(container: Any, track: Any) -> None:
        track.metadata["timecode"] = "01:00:00:00"

    film = write_film(tmp_path / "film.mov", 3, codec="libx264", sound="pcm_s16le", change=stamp)
    _, notes = make(film, suffix)
    assert notes == []
    with av.open(str(tmp_path / f"out{suffix}")) as made:
        said = {name.lower(): value for name, value in made.streams.video[0].metadata.items()}
    assert said["timecode"] == "01:00:00:00"


def test_chapters_that_the_container_cannot_hold_are_told(tmp_path: Path) -> None:
    def divide(container: Any, track: Any) -> None:
        chapter = {"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}}
        container.set_chapters([chapter])

    film = write_film(tmp_path / "film.mkv", 3, change=divide)
    _, notes = make(film, ".avi")
    assert notes == ["its chapters cannot be in .avi and were left out"]
