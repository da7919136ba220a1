"""Frames of luma and chroma as packets: one encoder for each segment, and the same settings for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from av import CodecContext, VideoFrame, library_versions
from av.codec.context import Flags
from av.error import FFmpegError
from av.format import ContainerFormat
from av.format import Flags as FormatFlags
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from colorize.errors import ColorizeError
from colorize.film.codecs import CODECS, CONTAINERS
from colorize.film.facts import FilmFacts, Plane, rows_of
from colorize.film.priority import same_priority


@dataclass(frozen=True)
class Recipe:
    """How the frames of a film are encoded; equal recipes and equal frames give equal packets.

    Attributes:
        facts: of the film.
        codec: one of `CODECS`.
        crf: as its encoder takes it.
        threads: of the encoder.
        suffix: of the output, which names its container.
    """

    facts: FilmFacts
    codec: str
    crf: float
    threads: int
    suffix: str

    @property
    def pixel_format(self) -> str:
        """The pixels that are encoded: the fewest bits of the codec that hold the film's."""
        formats = CODECS[self.codec].formats
        chosen = formats[min(bits for bits in formats if bits >= min(self.facts.bits, max(formats)))]
        is_odd = self.facts.width % 2 or (self.facts.height % 2 and "420" in chosen)
        return chosen.replace("420", "444").replace("422", "444") if is_odd else chosen

    @property
    def bits(self) -> int:
        return 10 if self.pixel_format.endswith("10le") else 8

    @property
    def halves(self) -> tuple[int, int]:
        """How many rows and columns of luma share one of chroma."""
        return {"420": (2, 2), "422": (1, 2), "444": (1, 1)}[self.pixel_format[3:6]]

    @property
    def working_facts(self) -> FilmFacts:
        """Those of the film, in the bits that are encoded."""
        return replace(self.facts, bits=self.bits)

    def configure(self, target: VideoCodecContext | VideoStream) -> None:
        """Tell an encoder, or the track of a file, all of it."""
        facts, codec = self.facts, CODECS[self.codec]
        context = target.codec_context if isinstance(target, VideoStream) else target
        context.width, context.height, context.pix_fmt = facts.width, facts.height, self.pixel_format
        context.time_base, context.framerate = facts.time_base, facts.rate
        context.sample_aspect_ratio = facts.aspect
        context.color_range, context.colorspace = facts.color_range, facts.colorspace
        context.color_primaries, context.color_trc = facts.color_primaries, facts.color_trc
        context.options = codec.options(self.crf, self.threads)
        if self.suffix == ".avi":
            context.max_b_frames = 0  # AVI knows one order of frames
        wants_header: Any = FormatFlags.global_header
        if ContainerFormat(CONTAINERS[self.suffix], "w").flags & wants_header.value:
            context.flags |= Flags.global_header.value

    def open(self) -> VideoCodecContext:
        """A new encoder.

        Raises:
            ColorizeError: it does not take such a film.
        """
        context = cast(VideoCodecContext, CodecContext.create(CODECS[self.codec].encoder, "w"))
        self.configure(context)
        try:
            with same_priority():
                context.open()
        except (FFmpegError, ValueError) as error:
            size = f"{self.facts.width}x{self.facts.height}"
            raise ColorizeError(
                f"codec={self.codec} does not take frames of {size} pixels ({error}): use another codec, such as "
                "codec=ffv1 with an output that ends in .mkv."
            ) from error
        return context

    def frame(self, luma: Plane, chroma: Sequence[Plane], pts: int) -> VideoFrame:
        """A frame to encode.

        Args:
            luma: (H, W), in the bits that are encoded; it is handed on as it is.
            chroma: Cb and Cr, in the size that `halves` says.
            pts: its time stamp, in units of the facts' time base.
        """
        facts = self.facts
        frame = VideoFrame(facts.width, facts.height, self.pixel_format)
        for plane, values in zip(frame.planes, (luma, *chroma), strict=True):
            rows_of(plane, np.uint8 if self.bits == 8 else np.uint16)[:] = values
        frame.pts, frame.time_base = pts, facts.time_base
        frame.color_range, frame.colorspace = facts.color_range, facts.colorspace
        frame.color_primaries, frame.color_trc = facts.color_primaries, facts.color_trc
        return frame


def encoder_versions() -> dict[str, str]:
    """Those of the libraries, a change of which may change packets."""
    return {name: ".".join(map(str, version)) for name, version in library_versions.items()}
