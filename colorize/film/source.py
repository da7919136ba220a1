"""The frames of a film's file, one after another, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from av import VideoFrame
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.filter import Graph
from av.stream import Discard
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from colorize.errors import ColorizeError
from colorize.film.facts import BT709, HDR, RANGE_LIMITED, WIDE, FilmFacts, has_alpha, has_luma
from colorize.film.opening import open_film, read_facts, reason_of

TO_SDR = (
    "ffmpeg -i HDR -vf zscale=t=linear:npl=100,tonemap=hable,zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p SDR"
)
MOST_DAMAGED = 1000
"""Packets in a row that cannot be decoded, after which a film has ended."""


class Film:
    """A film's file, which can be read as often as needed, with the same frames each time.

    Interlaced frames are deinterlaced; frames of another size are brought to the first one's; time stamps are made to
    increase. `notes` says what of this was done.

    Args:
        path: the file.
        threads: of the decoder.
        max_megapixels: of a frame.

    Raises:
        ColorizeError: it cannot be read, is no film, has no frame or too large ones.
    """

    def __init__(self, path: Path, threads: int = 1, max_megapixels: float = 200) -> None:
        self.path = path
        self.notes: dict[str, None] = {}
        self._threads = threads
        self._max_megapixels = max_megapixels
        self.facts = self._look()

    def frames(self, skip: int = 0) -> Iterator[VideoFrame]:
        """Its frames from number `skip` on, each with luma in its first plane and a time stamp in the facts' units."""
        previous: int | None = None
        facts = self.facts
        step = max(1, round(1 / facts.rate / facts.time_base))
        for number, frame in enumerate(self._progressive()):
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (frame.pts is None and previous is not None and pts <= previous):
                self.note("frames without a time stamp follow each other at the film's rate")
                pts = 0 if previous is None else previous + step
            if previous is not None and pts <= previous:
                self.note("time stamps that do not increase were moved")
                pts = previous + 1
            previous = pts
            if number >= skip:
                frame = self._normal(frame)
                frame.pts, frame.time_base = pts, facts.time_base
                yield frame
        if facts.end is not None and previous is not None:
            early = float((facts.end - previous - step) * facts.time_base)
            if early > max(2 * float(step * facts.time_base), 0.02 * float(facts.end * facts.time_base)):
                self.note(f"it ends {early:.1f} seconds before its end")

    def note(self, words: str) -> None:
        self.notes[words] = None

    def _look(self) -> FilmFacts:
        with open_film(self.path) as (container, stream):
            first = next(self._decode(container, stream), None)
            if first is None:
                raise ColorizeError(f"{self.path}: has no frame that can be decoded.")
            if (transfer := HDR.get(int(first.color_trc))) is not None:
                raise ColorizeError(
                    f"{self.path}: is HDR ({transfer}), which is not coloured: make it SDR before, such as by {TO_SDR}."
                )
            if (primaries := WIDE.get(int(first.color_primaries))) is not None:
                self.note(f"its primaries are {primaries}'s, in which our colours look stronger than in BT.709's")
            if has_alpha(first):
                self.note("its transparency was left out")
            return read_facts(container, stream, first)

    def _progressive(self) -> Iterator[VideoFrame]:
        """Its frames, deinterlaced from the first one on that says it is interlaced."""
        with open_film(self.path) as (container, stream):
            graph: Graph | None = None
            pixel_format = ""
            for frame in self._decode(container, stream):
                if graph is None and not frame.interlaced_frame:
                    yield frame
                    continue
                if graph is None:
                    self.note("interlaced: it was deinterlaced")
                    pixel_format = frame.format.name
                    graph = _deinterlacer(self.facts, frame.format)
                # the filter reads all frames as those that it was made for
                graph.vpush(self._sized(frame).reformat(format=pixel_format))
                yield from self._pulled(graph)
            if graph is not None:
                graph.vpush(None)
                yield from self._pulled(graph)

    def _pulled(self, graph: Graph) -> Iterator[VideoFrame]:
        while True:
            try:
                frame = graph.vpull()
            except (BlockingIOError, EOFError):
                return
            if frame.pts is not None and frame.time_base is not None:
                frame.pts = round(frame.pts * frame.time_base / self.facts.time_base)
            yield frame

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """What can be decoded; what is damaged is left out."""
        stream.codec_context.thread_count = self._threads
        stream.thread_type = "AUTO"
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        damaged = 0
        packets = container.demux(stream)
        while damaged < MOST_DAMAGED:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self.note(f"it ends early: {reason_of(error)}")
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except EndOfFile:
                return
            except FFmpegError:
                damaged += 1
                self.note("parts that cannot be decoded were left out")
                continue
            for frame in frames:
                damaged = 0
                megapixels = frame.width * frame.height / 1e6
                if megapixels > self._max_megapixels:
                    raise ColorizeError(
                        f"{self.path}: has frames of {megapixels:.0f} megapixels: give max_megapixels, which is "
                        f"{self._max_megapixels:g}, a larger number to allow them."
                    )
                yield frame

    def _sized(self, frame: VideoFrame) -> VideoFrame:
        facts = self.facts
        if (frame.width, frame.height) == (facts.width, facts.height):
            return frame
        self.note("its frames change their size: all were brought to the first one's")
        resized = frame.reformat(facts.width, facts.height, interpolation="LANCZOS")
        resized.pts = frame.pts
        return resized

    def _normal(self, frame: VideoFrame) -> VideoFrame:
        """A frame of the film's size, with luma in its first plane."""
        frame = self._sized(frame)
        if has_luma(frame) and not frame.format.is_rgb:
            return frame
        wanted = "yuv444p" if self.facts.bits == 8 else "yuv444p10le"
        if not frame.format.is_rgb and not frame.format.has_palette:
            return frame.reformat(format=wanted)
        return frame.reformat(format=wanted, dst_colorspace=BT709, dst_color_range=RANGE_LIMITED)


def _deinterlacer(facts: FilmFacts, pixel_format: VideoFormat) -> Graph:
    """A filter for frames of the film's size, all of one pixel format."""
    graph = Graph()
    nodes = [
        graph.add_buffer(width=facts.width, height=facts.height, format=pixel_format, time_base=facts.time_base),
        graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph
