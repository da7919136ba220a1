"""Small films of all kinds for the tests, what is in them, and a colorizer that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import torch
from av import AudioFrame, VideoFrame
from torch import Tensor

from colorize.film.facts import rows_of
from colorize.targets import LabTarget

SIZE = (48, 64)
SOUND_RATE = 8000


class Painter:
    """A colorizer that sees everything at a quarter of its size and makes it red, more so where it is bright."""

    target = LabTarget("gray")
    at_full_size = False
    dtype = torch.float32
    network = torch.nn.Linear(1, 1)
    working_size, chroma_gain, cast_gain, tta_scale = 32, 1.0, 1.0, 1.0

    def __init__(self) -> None:
        self.asked = 0
        self.ends_after: int | None = None

    def small_size(self, height: int, width: int) -> tuple[int, int]:
        return max(1, height // 4), max(1, width // 4)

    def predict_ab(self, small: Tensor, tta: bool = False, temperature: float | None = None) -> Tensor:
        self.asked += 1
        if self.asked == self.ends_after:
            raise KeyError("the end of the world")
        return torch.stack([60 * small[:, 0], 20 * small[:, 0]], 1)


def gray(number: int, size: tuple[int, int] = SIZE, bits: int = 8) -> npt.NDArray[np.uint16]:
    """The luma of a frame, (H, W): a moving slope with grain, from the blackest to the whitest code."""
    height, width = size
    grain = np.random.default_rng(number).integers(-9, 10, size)
    slope = (np.arange(width) * 255 // max(1, width - 1))[None] * np.ones((height, 1), int)
    values = np.roll(slope, 2 * number, 1) + grain
    return (values.clip(0, 255) << (bits - 8)).astype(np.uint16)


def write_film(
    path: Path,
    frames: int = 12,
    *,
    size: tuple[int, int] = SIZE,
    codec: str = "ffv1",
    pixels: str = "yuv420p",
    rate: int | Fraction = 24,
    base: Fraction | None = None,
    stamps: Sequence[int] | None = None,
    sound: str | None = None,
    options: dict[str, str] | None = None,
    change: Callable[[Any, Any], None] = lambda container, track: None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A gray film.

    Args:
        stamps: the times of its frames, in units of `base`.
        change: may tell the file and its track more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=container_options or {}) as container:
        track: Any = container.add_stream(codec, rate=rate, options=options or {})  # type: ignore[call-overload]
        track.width, track.height, track.pix_fmt = size[1], size[0], pixels
        track.codec_context.time_base = base or 1 / Fraction(rate)
        noise: Any = container.add_stream(sound, rate=SOUND_RATE, layout="mono") if sound else None  # type: ignore[call-overload]
        change(container, track)
        container.start_encoding()
        for number in range(frames):
            frame = gray_frame(number, size, pixels)
            frame.pts = number if stamps is None else stamps[number]
            frame.time_base = track.codec_context.time_base
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        if noise is not None:
            for packet in encode_sound(noise, round(frames * SOUND_RATE / rate)):
                container.mux(packet)
    return path


def gray_frame(number: int, size: tuple[int, int] = SIZE, pixels: str = "yuv420p") -> VideoFrame:
    frame = VideoFrame(size[1], size[0], pixels)
    bits = frame.format.components[0].bits
    dtype = np.uint8 if bits == 8 else np.uint16
    for place, plane in enumerate(frame.planes):
        rows = rows_of(plane, dtype)
        rows[:] = gray(number, size, bits) if place == 0 else 1 << (bits - 1)
    return frame


def encode_sound(track: Any, samples: int) -> Iterator[Any]:
    values = np.random.default_rng(track.index).normal(0, 3000, (1, samples)).astype(np.int16)
    step = 1000
    for start in range(0, samples, step):
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(values[:, start : start + step]), "s16", "mono")
        frame.sample_rate, frame.pts = SOUND_RATE, start
        yield track.encode(frame)
    yield track.encode(None)


def lumas(path: Path) -> list[npt.NDArray[Any]]:
    """Of all frames of a film, as its codec gives them."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(container.streams.video[0]))
        types = [np.uint8 if frame.format.components[0].bits == 8 else np.uint16 for frame in decoded]
        return [rows_of(frame.planes[0], dtype).copy() for frame, dtype in zip(decoded, types, strict=True)]


def chroma(path: Path) -> npt.NDArray[np.float64]:
    """Cb and Cr of the middle of each frame, (frames, 2)."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            dtype = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
            planes = [rows_of(plane, dtype) for plane in frame.planes[1:3]]
            found.append([plane[plane.shape[0] // 4 : -plane.shape[0] // 4].mean() for plane in planes])
    return np.array(found)


def packets(path: Path, kind: str) -> list[tuple[float | None, bytes]]:
    """(time in seconds, bytes) of all packets of the first track of a kind."""
    with av.open(str(path)) as container:
        track = next(stream for stream in container.streams if stream.type == kind)
        return [
            (None if packet.pts is None else float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(track)
            if packet.size
        ]


def times(path: Path) -> list[float]:
    """When the frames of a film are shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(container.streams.video[0])]
