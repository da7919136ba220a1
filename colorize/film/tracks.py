"""The tracks of a coloured film's file: our pictures, and those of the old film that its container can hold."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
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

if TYPE_CHECKING:
    from av.container.core import Chapter

_OF_THE_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
_WITHOUT_ASPECT = (".mkv", ".webm", ".avi")  # PyAV cannot tell it to these; other codecs hold it themselves


@dataclass(frozen=True)
class Tracks:
    """Which tracks of the old film go along, by their indices, the sound among them, and what does not, in words."""

    copied: tuple[int, ...]
    sound: tuple[int, ...]
    notes: list[str]


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
        wanted = []
        for stream in old.streams:
            if stream.type == "video" and not stream.disposition & Disposition.attached_pic:
                if stream.index != pictures.index:
                    notes.append(f"track {stream.index}, a second picture track, was left out")
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
            notes.append(f"track {stream.index}, {stream.type}, cannot be in {output.suffix} and was left out")
        sound = tuple(stream.index for stream in copied if stream.type == "audio")
        return Tracks(tuple(stream.index for stream in copied), sound, notes)


def _can_hold(old: InputContainer, pictures: VideoStream, copied: Iterable[Stream], recipe: Recipe) -> bool:
    try:
        with av.open(io.BytesIO(), "w", CONTAINERS[recipe.suffix], metadata_errors="surrogateescape") as new:
            add_tracks(new, old, pictures, copied, recipe)
            new.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def add_tracks(
    new: OutputContainer, old: InputContainer, pictures: VideoStream, copied: Iterable[Stream], recipe: Recipe
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
    track.disposition = pictures.disposition
    copies: dict[int, Stream] = {}
    for stream in copied:
        copy = new.add_stream_from_template(stream, opaque=True)
        copy.metadata.update(_described(stream))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
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
