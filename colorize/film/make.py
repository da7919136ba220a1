"""One film: read, coloured and encoded at the same time, in bounded memory, segment by segment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from av import VideoFrame

from colorize.film.background import map_ahead, work_ahead
from colorize.film.codecs import check_crf, choose_codec
from colorize.film.encode import Recipe, encoder_versions
from colorize.film.facts import FilmFacts, read_luma
from colorize.film.join import join
from colorize.film.planes import make_chroma, shrink_luma
from colorize.film.segments import Segments
from colorize.film.settings import FilmSettings
from colorize.film.source import Film
from colorize.film.steady import Carry, SteadyColors
from colorize.inference.colorizer import Colorizer

LEAST_FRAMES = 120
"""Of a segment; the last of a film may have fewer."""
LUMAS_AHEAD = 64
FRAMES_AHEAD = 8


@dataclass(frozen=True)
class _Shown:
    """A frame and its colours; `carry` is there when it is the last of a block."""

    frame: VideoFrame
    chroma: npt.NDArray[np.float32]
    carry: Carry | None


def make_film(
    path: Path,
    output: Path,
    colorizer: Colorizer,
    settings: FilmSettings,
    threads: int,
    stopping: Callable[[], bool] = lambda: False,
    begun: Callable[[int, int | None], None] = lambda done, total: None,
    advance: Callable[[], None] = lambda: None,
) -> list[str]:
    """Write the coloured film, going on with the segments that an earlier start has finished.

    Args:
        path: the film.
        output: the coloured one, whose suffix names the container.
        colorizer: gives the colours.
        settings: how.
        threads: of each of the decoder, the network, the merge and the encoder.
        stopping: asked between frames.
        begun: called with the number of frames that are finished already, and that of all, if it is known.
        advance: called after each frame.

    Returns:
        What had to be done to the film, or was left out: in words.

    Raises:
        StoppedError: `stopping` became true; what is finished stays for the next start.
        ColorizeError: the film cannot be read, or not be written so.
        OSError: the disk is full, or the like.
    """
    codec = choose_codec(settings.codec, output.suffix.lower())
    crf = check_crf(codec, settings.crf)
    film = Film(path, threads, settings.max_megapixels)
    identity = _identity(film, colorizer, settings, codec, crf)
    with Segments(output, identity, {"threads": threads}) as segments:
        recipe = Recipe(film.facts, codec, crf, int(segments.kept["threads"]), output.suffix.lower())
        recipe.open()
        if segments.is_anew:
            film.note("the film, the weights or the settings have changed since it was begun: it was begun anew")
        begun(segments.frames, film.facts.frames)
        _make_segments(film, segments, recipe, colorizer, settings, threads, stopping, advance)
        notes = join(path, segments.finished, recipe, output)
        segments.remove()
    return [*film.notes, *notes]


def _make_segments(
    film: Film,
    segments: Segments,
    recipe: Recipe,
    colorizer: Colorizer,
    settings: FilmSettings,
    threads: int,
    stopping: Callable[[], bool],
    advance: Callable[[], None],
) -> None:
    facts, size = recipe.working_facts, picture_size(film.facts, colorizer)
    torch.get_num_threads()  # settles this thread's number, before others set theirs
    steady = SteadyColors(colorizer, settings.smooth, tta=settings.tta, temperature=settings.temperature)
    carry = None if segments.carry is None else Carry.from_arrays(segments.carry)

    def lumas() -> Iterator[npt.NDArray[np.float32]]:
        for frame in film.frames(segments.frames):
            yield shrink_luma(read_luma(frame, recipe.bits), facts, size)

    def shown() -> Iterator[_Shown]:
        with (
            _closing(work_ahead(film.frames(segments.frames), FRAMES_AHEAD, stopping)) as frames,
            _closing(
                work_ahead(steady.blocks(work_ahead(lumas(), LUMAS_AHEAD, stopping), carry), 1, stopping)
            ) as blocks,
        ):
            for block in blocks:
                last = len(block.chroma) - 1
                for number, chroma in enumerate(block.chroma):
                    yield _Shown(next(frames), chroma, block.carry if number == last else None)

    def merged(item: _Shown) -> tuple[VideoFrame, Carry | None]:
        torch.set_num_threads(1)
        luma = read_luma(item.frame, recipe.bits)
        small = shrink_luma(luma, facts, size)
        chroma = make_chroma(luma, small, item.chroma * np.float32(settings.saturation), facts, recipe.halves)
        assert item.frame.pts is not None
        return recipe.frame(luma, chroma, item.frame.pts), item.carry

    with ExitStack() as stack:
        pictures = stack.enter_context(_closing(work_ahead(shown_and_merged(shown, merged, threads), 2, stopping)))
        ended = False
        while not ended:
            ended = _make_segment(pictures, segments, recipe, advance)


def shown_and_merged(shown, merged, threads):  # type: ignore[no-untyped-def]
    return map_ahead(merged, shown(), threads)


def _make_segment(pictures, segments, recipe, advance) -> bool:  # type: ignore[no-untyped-def]
    first = next(pictures, None)
    if first is None:
        return True
    ended = False
    with segments.begin() as writer:
        context = recipe.open()
        item = first
        while True:
            frame, carry = item
            for packet in context.encode(frame):
                writer.add(packet)
            writer.frames += 1
            advance()
            if carry is not None:
                writer.carry = carry.to_arrays()
                if writer.frames >= LEAST_FRAMES:
                    break
            item = next(pictures, None)
            if item is None:
                ended = True
                break
        for packet in context.encode(None):
            writer.add(packet)
    return ended


@contextmanager
def _closing(items: Iterator[Any]) -> Iterator[Iterator[Any]]:
    try:
        yield items
    finally:
        items.close()  # type: ignore[attr-defined]


def picture_size(facts: FilmFacts, colorizer: Colorizer) -> tuple[int, int]:
    """(h, w) of what the network sees of an upright frame of square pixels."""
    height, width = facts.height, max(1, round(facts.width * facts.aspect))
    upright = facts.upright(np.empty((1, 2)))
    return colorizer.small_size(*((height, width) if upright.shape == (1, 2) else (width, height)))


def _identity(film: Film, colorizer: Colorizer, settings: FilmSettings, codec: str, crf: float) -> dict[str, Any]:
    """Of what the segments of a film are made: equal ones go on with each other's."""
    status = film.path.stat()
    digest = hashlib.sha256()
    for name, values in sorted(colorizer.network.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.detach().float().cpu().numpy().tobytes())
    said = {**asdict(settings), "codec": codec, "crf": crf}
    said.pop("overwrite")
    said.pop("max_megapixels")
    return {
        "film": str(film.path.resolve()),
        "bytes": status.st_size,
        "changed": status.st_mtime_ns,
        "weights": digest.hexdigest(),
        "precision": str(colorizer.dtype),
        "settings": said,
        "libraries": encoder_versions(),
    }
