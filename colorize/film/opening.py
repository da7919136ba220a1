"""A film's file opened, and what its header and first frame say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av import VideoFrame
from av.container import Flags, InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from colorize.errors import ColorizeError
from colorize.film.facts import (
    BT709,
    FULL_UNTAGGED,
    RANGE_FULL,
    RANGE_LIMITED,
    UNSPECIFIED,
    FilmFacts,
    bits_of,
    has_luma,
)
from colorize.images.header import open_file

DEFAULT_RATE = Fraction(25)
_LIST = b"ffconcat"  # begins the one kind of list of films that FFmpeg knows whatever the file is called


@contextmanager
def open_film(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A film's file and its picture track: the best, no cover picture.

    FFmpeg is given an absolute path: it takes what is before a colon at the start of another for a protocol.

    Raises:
        ColorizeError: it is no film, or a list of films.
    """
    try:
        with open_file(path) as file:
            if file.read(len(_LIST)) == _LIST:
                raise ColorizeError(f"{path}: is a list of films, not a film: give the films themselves.")
        container = av.open(str(path.absolute()), metadata_errors="surrogateescape", timeout=(60, None))
    except (FFmpegError, ValueError, OSError) as error:
        raise ColorizeError(f"{path}: cannot be read as a film: {reason_of(error)}.") from error
    with container:
        tracks = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not tracks:
            kinds = " and ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise ColorizeError(f"{path}: has no picture track, only {kinds}: give a film.")
        best = container.streams.best("video")
        stream = best if isinstance(best, VideoStream) and best in tracks else tracks[0]
        if stream.codec_context is None:
            raise ColorizeError(f"{path}: its pictures are in a codec that this FFmpeg cannot decode.")
        if container.format.name in ("avi", "asf") and stream.codec_context.name in ("h264", "hevc"):
            made_up: Any = Flags.gen_pts  # these files state no times of showing, and FFmpeg makes up late ones
            container.flags &= ~made_up.value
        yield container, stream


def _end(stream: VideoStream, base: Fraction) -> int | None:
    """When a track ends, in units of its time base, as its header says."""
    if stream.duration:
        return (stream.start_time or 0) + stream.duration
    said = re.fullmatch(r"(\d+):(\d+):(\d+\.\d+)", stream.metadata.get("DURATION", ""))  # Matroska's
    if said is None:
        return None
    return round((int(said[1]) * 3600 + int(said[2]) * 60 + Fraction(said[3])) / base)


def reason_of(error: BaseException) -> str:
    """What the system or FFmpeg says of it, on one line, without a period."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")


def read_facts(container: InputContainer, stream: VideoStream, first: VideoFrame) -> FilmFacts:
    """Those of a track, by the headers and its first frame."""
    rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
    if not Fraction(1, 1000) <= rate <= 1000:
        rate = DEFAULT_RATE
    base = stream.time_base or Fraction(1, 90000)
    seconds = float(stream.duration * base) if stream.duration else (container.duration or 0) / av.time_base
    count = stream.frames or round(seconds * rate)
    name = stream.codec_context.name
    own = stream.sample_aspect_ratio or Fraction(1)
    matrix: Any = first.side_data.get("DISPLAYMATRIX")
    facts = FilmFacts(
        width=first.width,
        height=first.height,
        bits=8 if bits_of(first) <= 8 else 10,
        time_base=base,
        rate=rate,
        aspect=own if Fraction(1, 20) <= own <= 20 else Fraction(1),
        color_range=int(first.color_range),
        colorspace=int(first.colorspace),
        color_primaries=int(first.color_primaries),
        color_trc=int(first.color_trc),
        display_matrix=None if matrix is None else tuple(np.frombuffer(matrix, np.int32).tolist()),
        frames=count or None,
        end=_end(stream, base),
        codec=name,
    )
    if first.format.name.startswith("yuvj") or (
        first.format.name.startswith("gray") and not facts.color_range and name in FULL_UNTAGGED
    ):
        facts = replace(facts, color_range=RANGE_FULL)
    if first.format.is_rgb or not has_luma(first):
        facts = replace(facts, color_range=RANGE_LIMITED)
    if first.format.is_rgb or first.format.has_palette:
        facts = replace(facts, colorspace=BT709, color_primaries=BT709, color_trc=UNSPECIFIED)
    return facts
