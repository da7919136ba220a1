"""The finished film: its segments, and all that the old film holds beside its pictures, in one file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av import Packet
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.stream import VideoStream

from colorize.errors import ColorizeError
from colorize.files import whole_file
from colorize.film.codecs import CONTAINERS
from colorize.film.encode import Recipe
from colorize.film.opening import open_film
from colorize.film.priority import same_priority
from colorize.film.segments import Segment
from colorize.film.tracks import Tracks, add_tracks, start_of


def join(film: Path, segments: list[Segment], tracks: Tracks, recipe: Recipe, output: Path) -> list[str]:
    """Write the film, whole or not at all; tracks too damaged to be copied are left out.

    Args:
        film: the old one, whose other tracks, chapters and descriptions go along.
        segments: of all its frames.
        tracks: of the old one that go along.
        recipe: by which the frames were encoded.
        output: the new one.

    Returns:
        What was left out, in words.

    Raises:
        ColorizeError: FFmpeg cannot write it.
        OSError: the disk is full, or the like.
    """
    ways: tuple[tuple[Tracks, list[str]], ...] = (
        (tracks, []),
        (tracks.sound_only, ["all tracks but pictures and sound were left out: one is damaged"]),
        (tracks.nothing, ["all tracks but the pictures were left out: one is damaged"]),
    )
    for chosen, words in ways:
        try:
            _join(film, segments, chosen, recipe, output)
            return words
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise
            reason = error
    raise ColorizeError(f"{film}: its coloured frames cannot be written to {output}: {reason}.") from reason


def _join(film: Path, segments: list[Segment], tracks: Tracks, recipe: Recipe, output: Path) -> None:
    form = CONTAINERS[recipe.suffix]
    with (
        whole_file(output) as file,
        open_film(film) as (old, pictures),
        av.open(str(Path(file.name).absolute()), "w", form, metadata_errors="surrogateescape") as new,
    ):
        track, copies = add_tracks(new, old, pictures, tracks, recipe)
        if recipe.suffix == ".avi" and _is_steady(segments, recipe, start_of(old)):
            track.time_base = 1 / recipe.facts.rate  # which AVI states as the frame rate
        with same_priority():
            new.start_encoding()
        _mux(new, track, segments, recipe, old, copies)


def _is_steady(segments: list[Segment], recipe: Recipe, start: Fraction) -> bool:
    """Whether the film's rate has a place for each frame, but for what a coarse time base rounds."""
    numbers = (_stamps(segments) * float(recipe.facts.time_base) - float(start)) * float(recipe.facts.rate)
    places = np.round(numbers)
    return bool((np.diff(places) > 0).all() and np.abs(numbers - places).max(initial=0) < 0.25)


def _mux(
    new: OutputContainer,
    track: VideoStream,
    segments: list[Segment],
    recipe: Recipe,
    old: InputContainer,
    copies: dict[int, Stream],
) -> None:
    """Write all packets in the order of their times, all moved so that the film starts at 0."""
    base, start = recipe.facts.time_base, start_of(old)
    ours: Iterator[_Ours | Packet[Any]] = _our_packets(segments, recipe, round(start / base))
    packets: Iterator[_Ours | Packet[Any]] = heapq.merge(
        ours, _their_packets(old, copies, start, 1 / recipe.facts.rate), key=_time
    )
    for packet in packets:
        if isinstance(packet, _Ours):
            made = Packet(packet.data)
            made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
            made.is_keyframe, made.time_base = packet.is_key, base
            made.stream = track
            new.mux_one(made)
        else:
            new.mux_one(packet)


class _Ours:
    """One of our packets, in units of the film's time base."""

    def __init__(self, data: bytes, pts: int, dts: int, duration: int, is_key: bool, base: Fraction) -> None:
        self.data, self.pts, self.dts, self.duration, self.is_key = data, pts, dts, duration, is_key
        self.seconds = float(dts * base)


def _time(packet: _Ours | Packet[Any]) -> float:
    if isinstance(packet, _Ours):
        return packet.seconds
    stamp = packet.dts if packet.dts is not None else packet.pts
    return float("-inf") if stamp is None else float(stamp * packet.time_base)


def _our_packets(segments: list[Segment], recipe: Recipe, shift: int) -> Iterator[_Ours]:
    """Those of the segments, with times of decoding that increase over the whole film.

    A packet is decoded at the time stamp of the frame that is shown so many frames earlier as the encoder reorders them
    at most.
    """
    depth = max((_reordering(segment.table[:, 0]) for segment in segments), default=0)
    step = max(1, round(1 / recipe.facts.rate / recipe.facts.time_base))
    shown = _stamps(segments) - shift
    first = int(shown[0]) if len(shown) else 0
    decoded = np.concatenate([first - step * np.arange(depth, 0, -1), shown])
    following = np.append(shown[1:], shown[-1:] + step)
    lasting = dict(zip(shown.tolist(), (following - shown).tolist(), strict=True))
    number = 0
    for segment in segments:
        for data, (pts, is_key, _) in zip(segment.packets(), segment.table.tolist(), strict=True):
            stamp = pts - shift
            yield _Ours(data, stamp, int(decoded[number]), lasting[stamp], bool(is_key), recipe.facts.time_base)
            number += 1


def _stamps(segments: list[Segment]) -> npt.NDArray[np.int64]:
    """When the frames of all segments are shown, in order, in units of the film's time base."""
    return np.sort(np.concatenate([segment.table[:, 0] for segment in segments]))


def _reordering(stamps: npt.NDArray[np.int64]) -> int:
    """By how many places a packet is at most behind its place in the order of showing."""
    behind: npt.NDArray[np.int64] = np.arange(len(stamps)) - np.argsort(np.argsort(stamps))
    return int(behind.max(initial=0))


def _their_packets(
    old: InputContainer, copies: dict[int, Stream], start: Fraction, lasting: Fraction
) -> Iterator[_Ours | Packet[Any]]:
    """The packets of the other tracks, until the old film ends or is damaged; data that says no duration gets one."""
    if not copies:
        return
    packets = old.demux([old.streams[index] for index in copies])
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            return
        if packet is None:
            return
        if packet.size == 0 and packet.dts is None:  # they flush decoders
            continue
        shift = round(start / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        if packet.stream.type == "data" and not packet.duration:  # or QuickTime's last one is not shown
            packet.duration = max(1, round(lasting / packet.time_base))
        packet.stream = copies[packet.stream.index]
        yield packet
