"""One film: read, coloured and encoded at the same time, in bounded memory, segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from av import VideoFrame
from torch import Tensor

from colorize.album.stop import StoppedError
from colorize.errors import ColorizeError
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
from colorize.film.tracks import choose_tracks
from colorize.inference.colorizer import Colorizer
from colorize.weights.model import fingerprint

LEAST_FRAMES = 120
"""Of a segment; the last of a film may have fewer."""
LUMAS_AHEAD, FRAMES_AHEAD, PICTURES_AHEAD = 64, 4, 2


@dataclass(frozen=True)
class Progress:
    """Who is told, and who says whether to go on.

    Attributes:
        begun: called with the number of frames that are finished already, and that of all, if it is known.
        advance: called after each frame.
        stopping: asked several times a second.
    """

    begun: Callable[[int, int | None], None] = lambda done, total: None
    advance: Callable[[], object] = lambda: None
    stopping: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class _Colored:
    """A frame, its colours as the network's size has them, and, at the end of a block, what the next one needs."""

    frame: VideoFrame
    ab: npt.NDArray[np.float32]
    carry: Carry | None


def make_film(
    path: Path,
    output: Path,
    colorizer: Colorizer,
    settings: FilmSettings,
    threads: int = 1,
    progress: Progress | None = None,
) -> list[str]:
    """Write the coloured film, going on with the segments that an earlier start has finished.

    Args:
        path: the film.
        output: the coloured one, whose suffix names the container.
        colorizer: gives the colours.
        settings: how.
        threads: of each of the decoder, the network, the merge and the encoder; a film that was begun keeps to its own.
        progress: of it.

    Returns:
        What had to be done to the film, or was left out: in words.

    Raises:
        StoppedError: the user has stopped; what is finished stays for the next start.
        ColorizeError: the film cannot be read, or not be written so.
        OSError: the disk is full, or the like.
    """
    progress = progress or Progress()
    codec = choose_codec(settings.codec, output.suffix.lower())
    crf = check_crf(codec, settings.crf)
    film = Film(path, threads, settings.max_megapixels)
    with Segments(output, _identity(film, colorizer, settings, codec, crf), {"threads": threads}) as segments:
        recipe = Recipe(film.facts, codec, crf, int(segments.kept["threads"]), output.suffix.lower())
        recipe.open()
        tracks = choose_tracks(path, recipe, output)
        if segments.is_anew:
            film.note("the film, the weights or the settings have changed since it was begun: it was begun anew")
        progress.begun(segments.frames, film.facts.frames)
        pictures = _Pictures(film, recipe, colorizer, settings, progress.stopping)
        with closing(work_ahead(pictures.made(segments), PICTURES_AHEAD, progress.stopping)) as made:
            while _make_segment(made, segments, recipe, progress):
                pass
        notes = join(path, segments.finished, tracks, recipe, output)
        segments.is_joined = True
    return [*film.notes, *tracks.notes, *notes]


def _make_segment(
    pictures: Iterator[tuple[VideoFrame, Carry | None]], segments: Segments, recipe: Recipe, progress: Progress
) -> bool:
    """Encode the next segment, which ends with a block; False when there are no more frames."""
    item = next(pictures, None)
    if item is None:
        return False
    with segments.begin() as writer:
        context = recipe.open()
        while item is not None:
            frame, carry = item
            writer.add(context.encode(frame))
            writer.frames += 1
            progress.advance()
            if carry is not None:
                writer.carry = carry.to_arrays()
                if writer.frames >= LEAST_FRAMES:
                    break
            item = next(pictures, None)
        writer.add(context.encode(None))
    return item is not None


@dataclass(frozen=True)
class _Pictures:
    """The frames of a film with their luma and our chroma, ready to be encoded.

    Two threads decode the film: the colours of a frame depend on many that follow it, which need not be in memory.
    """

    film: Film
    recipe: Recipe
    colorizer: Colorizer
    settings: FilmSettings
    stopping: Callable[[], bool]

    def made(self, segments: Segments) -> Iterator[tuple[VideoFrame, Carry | None]]:
        """The frames that follow those of the segments; each last one of a block with what the next one needs."""
        carry = None if segments.carry is None else Carry.from_arrays(segments.carry)
        yield from map_ahead(self._merge, self._colored(segments.frames, carry), self.recipe.threads)

    def predict_ab(self, small: Tensor, tta: bool = False, temperature: float | None = None) -> Tensor:
        """As the colorizer's, with the film's number of threads, unless the user has stopped."""
        if self.stopping():
            raise StoppedError
        torch.set_num_threads(self.recipe.threads)
        return self.colorizer.predict_ab(small, tta, temperature)

    def _colored(self, skip: int, carry: Carry | None) -> Generator[_Colored, None, None]:
        settings = self.settings
        steady = SteadyColors(self, settings.smooth, tta=settings.tta, temperature=settings.temperature)
        with (
            closing(work_ahead(self._lumas(skip), LUMAS_AHEAD, self.stopping)) as lumas,
            closing(work_ahead(self.film.frames(skip), FRAMES_AHEAD, self.stopping)) as frames,
            closing(work_ahead(steady.blocks(lumas, carry), 1, self.stopping)) as blocks,
        ):
            for block in blocks:
                last = len(block.chroma) - 1
                for number, ab in enumerate(block.chroma):
                    frame = next(frames, None)
                    if frame is None:
                        raise ColorizeError(f"{self.film.path}: has fewer frames each time it is read.")
                    yield _Colored(frame, ab, block.carry if number == last else None)

    def _lumas(self, skip: int) -> Iterator[npt.NDArray[np.float32]]:
        facts, size = self.recipe.working_facts, picture_size(self.film.facts, self.colorizer)
        for frame in self.film.frames(skip):
            yield shrink_luma(read_luma(frame, facts.bits), facts, size)

    def _merge(self, item: _Colored) -> tuple[VideoFrame, Carry | None]:
        torch.set_num_threads(1)
        facts = self.recipe.working_facts
        luma = read_luma(item.frame, facts.bits)
        small = shrink_luma(luma, facts, picture_size(facts, self.colorizer))
        ab = item.ab * np.float32(self.settings.saturation)
        chroma = make_chroma(luma, small, ab, facts, self.recipe.halves)
        assert item.frame.pts is not None
        return self.recipe.frame(luma, chroma, item.frame.pts), item.carry


def picture_size(facts: FilmFacts, colorizer: Colorizer) -> tuple[int, int]:
    """(h, w) of what the network sees of an upright frame of square pixels."""
    size = facts.height, max(1, round(facts.width * facts.aspect))
    return colorizer.small_size(*(size[::-1] if facts.is_sideways else size))


def _identity(film: Film, colorizer: Colorizer, settings: FilmSettings, codec: str, crf: float) -> dict[str, Any]:
    """Of what the segments of a film are made, and how."""
    status = film.path.stat()
    said = {**asdict(settings), "codec": codec, "crf": crf}
    for name in ("overwrite", "max_megapixels"):
        del said[name]
    return {
        "film": str(film.path.resolve()),
        "bytes": status.st_size,
        "changed": status.st_mtime_ns,
        "weights": fingerprint(colorizer.network),
        "target": colorizer.target.describe(),
        "facts": {name: getattr(colorizer, name) for name in ("working_size", "chroma_gain", "cast_gain", "tta_scale")},
        "precision": str(colorizer.dtype),
        "settings": said,
        "libraries": encoder_versions(),
    }
