"""The tracks of a coloured film's file: our pictures, and those of the old film that its container can hold."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from colorize.errors import ColorizeError
from colorize.film.codecs import CODECS, CONTAINERS
from colorize.film.encode import Recipe
from colorize.film.opening import open_film
from colorize.film.priority import same_priority

if TYPE_CHECKING:
    from av.container.core import Chapter

_OF_THE_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
_WITH_COVERS = (".mp4", ".m4v", ".mkv")
_WITH_TIMECODE = (".mp4", ".m4v", ".mov", ".mkv")  # written by FFmpeg, as the description of the pictures says
_WITHOUT_ASPECT = (".mkv", ".webm", ".avi")  # PyAV cannot tell it to these; other codecs hold it themselves


@dataclass(frozen=True)
class Cover:
    """A picture that Matroska holds as an attachment: its file name, its type and its bytes."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True)
class Tracks:
    """What of the old film goes along.

    Attributes:
        copied: the indices of its tracks that are copied.
        sound: of those the sound.
        covers: what is attached.
        timecode: of its pictures, as a track of its own said; None if there is none.
        notes: what does not go along, in words.
    """

    copied: tuple[int, ...]
    sound: tuple[int, ...]
    covers: tuple[Cover, ...]
    timecode: str | None
    notes: list[str]

    @property
    def sound_only(self) -> Tracks:
        return replace(self, copied=self.sound, covers=())

    @property
    def nothing(self) -> Tracks:
        return replace(self, copied=(), covers=())


def choose_tracks(film: Path, recipe: Recipe, output: Path) -> Tracks:
    """The tracks that the output's container holds: found out before anything is coloured.

    Raises:
        ColorizeError: it cannot hold the film's sound.
    """
    notes = []
    if recipe.facts.aspect != 1 and recipe.codec in ("av1", "ffv1") and recipe.suffix in _WITHOUT_ASPECT:
        aspect = recipe.facts.aspect
        notes.append(
            f"the shape of its pixels, {aspect.numerator}:{aspect.denominator}, is lost by codec={recipe.codec} in "
            f"{recipe.suffix}"
        )
    with open_film(film) as (old, pictures):
        if recipe.suffix == ".avi" and old.chapters():
            notes.append("its chapters cannot be in .avi and were left out")
        wanted, covers, timecode = list[Stream](), list[Stream](), None
        for stream in old.streams:
            if stream.type == "video" and stream.disposition & Disposition.attached_pic:
                if recipe.suffix not in _WITH_COVERS:
                    notes.append(f"its cover picture, track {stream.index}, cannot be in {output.suffix}: left out")
                else:
                    (covers if recipe.suffix == ".mkv" else wanted).append(stream)
            elif stream.type == "video":
                if stream.index != pictures.index:
                    notes.append(f"track {stream.index}, a second picture track, was left out")
            elif stream.type == "data" and "timecode" in stream.metadata and recipe.suffix in _WITH_TIMECODE:
                timecode = stream.metadata["timecode"]
            else:
                wanted.append(stream)
        copied = wanted
        if not _can_hold(old, pictures, copied, recipe):
            copied = [stream for stream in wanted if _can_hold(old, pictures, [stream], recipe)]
        for stream in wanted:
            if stream in copied:
                continue
            if stream.type == "audio":
                raise ColorizeError(
                    f"{film}: its sound, track {stream.index}, cannot be in {output.suffix}: give an output that ends "
                    "in .mkv."
                )
            notes.append(f"track {stream.index}, {_kind(stream)}, cannot be in {output.suffix} and was left out")
        sound = tuple(stream.index for stream in copied if stream.type == "audio")
        attached = tuple(_read_covers(old, covers))
        return Tracks(tuple(stream.index for stream in copied), sound, attached, timecode, notes)


def _kind(stream: Stream) -> str:
    """What a track is, in words: subtitle (srt), attachment (font.ttf), data."""
    context = stream.codec_context if stream.type == "subtitle" else None
    more = stream.metadata.get("filename") or (None if context is None else context.name)
    return f"{stream.type} ({more})" if more else stream.type


def _read_covers(old: InputContainer, covers: list[Stream]) -> Iterator[Cover]:
    missing = {stream.index: stream for stream in covers}
    for packet in old.demux(covers) if covers else ():
        stream = missing.pop(packet.stream.index, None)
        if stream is not None and packet.size:
            name = {"mjpeg": "jpeg"}.get(stream.codec_context.name, stream.codec_context.name)
            said = stream.metadata
            kind = said.get("mimetype") or f"image/{name}"
            yield Cover(said.get("filename") or f"cover.{name.replace('jpeg', 'jpg')}", kind, bytes(packet))
        if not missing:
            return


def _can_hold(old: InputContainer, pictures: VideoStream, copied: Iterable[Stream], recipe: Recipe) -> bool:
    indices = tuple(stream.index for stream in copied)
    try:
        with av.open(io.BytesIO(), "w", CONTAINERS[recipe.suffix], metadata_errors="surrogateescape") as new:
            add_tracks(new, old, pictures, Tracks(indices, (), (), None, []), recipe)
            with same_priority():
                new.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def add_tracks(
    new: OutputContainer, old: InputContainer, pictures: VideoStream, tracks: Tracks, recipe: Recipe
) -> tuple[VideoStream, dict[int, Stream]]:
    """Tell a new file its tracks, chapters and descriptions: those of the old one, moved so that it starts at 0.

    Returns:
        The track of our pictures, and the others by the indices of those they copy.
    """
    track = cast(VideoStream, new.add_stream(CODECS[recipe.codec].encoder, rate=recipe.facts.rate))
    recipe.configure(track)
    track.time_base = recipe.facts.time_base
    if recipe.facts.display_matrix is not None:
        track.set_display_matrix(recipe.facts.display_matrix)
    track.metadata.update(_described(pictures))
    if tracks.timecode is not None:
        track.metadata["timecode"] = tracks.timecode
    track.disposition = pictures.disposition
    copies: dict[int, Stream] = {}
    for stream in (old.streams[index] for index in tracks.copied):
        copy = new.add_stream_from_template(stream, opaque=True)
        copy.metadata.update(_described(stream))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    for cover in tracks.covers:
        new.add_attachment(cover.name, cover.kind, cover.data)
    new.metadata.update({k: v for k, v in old.metadata.items() if k.lower() not in _OF_THE_CONTAINER})
    new.set_chapters([_moved(chapter, start_of(old)) for chapter in old.chapters()])
    return track, copies


def start_of(old: InputContainer) -> Fraction:
    """When a film starts, in seconds; what starts before 0, as sound may, stays there."""
    return Fraction(max(0, old.start_time or 0), av.time_base)


def _described(stream: Stream) -> dict[str, str]:
    return {name: value for name, value in stream.metadata.items() if name.lower() not in ("encoder", "duration")}


def _moved(chapter: Chapter, start: Fraction) -> Chapter:
    base = chapter["time_base"] or Fraction(1, 1000)
    shift = round(start / base)
    return {**chapter, "start": chapter["start"] - shift, "end": chapter["end"] - shift, "time_base": base}
