"""Colours that stay the same from frame to frame: those of a network, averaged along the motion of a film's scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.film.cuts import as_gray, find_scenes
from colorize.film.flow import Floats, Gray, warp

LONGEST_MEMORY = 20.0
"""Frames: how long colours are remembered at smooth=1."""
BLOCK, AHEAD = 96, 32
"""Frames of a block, and how many of the next block's it knows. A scene that ends among those ends the block."""
LEAST_TRUST = 1e-3
"""What is seen in no other frame takes the colours of its place in them until the network is asked."""


class PredictsColors(Protocol):
    """What is needed of a `Colorizer`."""

    def predict_ab(self, small: Tensor, tta: bool = False, temperature: float | None = None) -> Tensor:
        """The colours of float RGB (B, 3, h, w): ab of CIE Lab (B, 2, h, w)."""


@dataclass(frozen=True)
class Carry:
    """What a block leaves to the next.

    Attributes:
        gray: its last frame that no flash spoils, uint8 (h, w).
        total: the colours of that frame and how much they weigh, float32 (h, w, 3), see `SteadyColors`.
        phase: the number of the next frame in its scene, modulo the period in which the network is asked.
    """

    gray: Gray
    total: Floats
    phase: int

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As arrays, which `from_arrays` takes."""
        return {"gray": self.gray, "total": self.total, "phase": np.array(self.phase)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Carry:
        """That of `to_arrays`.

        Raises:
            KeyError: an array is missing.
        """
        return cls(arrays["gray"], arrays["total"], int(arrays["phase"]))


@dataclass(frozen=True)
class Block:
    """A scene or a part of one, at most `BLOCK` + `AHEAD` frames.

    Attributes:
        chroma: of each frame its colours, ab of CIE Lab, float32 (2, h, w).
        carry: for the block after it.
    """

    chroma: list[Floats]
    carry: Carry


@dataclass(frozen=True)
class _Seen:
    """A frame of a window.

    Attributes:
        gray, flash: as of `Frame`.
        ahead: the flow to it from the frame before it, and its trust; None of a scene's first frame.
        own: what the network says of it, if it was asked: (h, w, 3).
        total: that and what the frames before it say.
    """

    gray: Gray
    flash: bool
    ahead: tuple[Floats, Floats] | None
    own: Floats | None
    total: Floats


class SteadyColors:
    """Gives the frames of a film colours that do not flicker.

    Within a scene the colours of a pixel are the mean of what the network says of it in the frames before and after,
    followed along the motion, weighted by memory ** (distance in frames) and by how far the flow on the way is trusted.
    Each direction is a recursion on (h, w, 3): a and b, times their weights, summed up, and the sum of the weights.

    Args:
        colorizer: says the colours of a frame.
        smooth: 0 to 1; 0 is frame by frame with nothing in common, 1 remembers `LONGEST_MEMORY` frames.
        key_every: the network sees one of so many frames of a scene; at smooth=0 all of them.
        tta: as in `Colorizer.colorize`, at each frame that the network sees.
        temperature: as in `Colorizer.colorize`.

    Raises:
        ColorizeError: a value out of range.
    """

    def __init__(
        self,
        colorizer: PredictsColors,
        smooth: float = 0.5,
        *,
        key_every: int = 4,
        tta: bool = True,
        temperature: float | None = None,
    ) -> None:
        if not 0 <= smooth <= 1:
            raise ColorizeError(f"smooth={smooth} is not possible: give a number from 0, frame by frame, to 1.")
        if key_every < 1:
            raise ColorizeError(f"key_every={key_every} is not possible: give 1, every frame, or more.")
        self.colorizer = colorizer
        self.memory = LONGEST_MEMORY * smooth / (1 + LONGEST_MEMORY * smooth)
        self.key_every = key_every
        self.tta = tta
        self.temperature = temperature

    def blocks(self, lumas: Iterable[Floats], carry: Carry | None = None) -> Iterator[Block]:
        """The colours of a film, block after block.

        From the first frame of a block on, given the carry of the block before it, the colours are bitwise the same, on
        the same device with the same numbers of threads of PyTorch and OpenCV.

        Args:
            lumas: float32 (h, w) in [0, 1] of all frames in order, of one size: gray as the network sees it, see
                `Renderer.shrink`.
            carry: what the block before them left; None at the beginning of a film.

        Raises:
            ValueError: a frame of another size than those before it.
        """
        lumas = _of_one_size(lumas, None if carry is None else carry.gray.shape)
        if self.memory == 0:
            yield from self._frame_by_frame(lumas)
            return
        window: list[_Seen] = []
        phase, total = (0, None) if carry is None else (carry.phase, carry.total)
        for frame in find_scenes(lumas, None if carry is None else carry.gray):
            if frame.link is None:
                if window:
                    yield self._block(window, len(window), phase)
                window, phase, total = [], 0, None
            elif len(window) == BLOCK + AHEAD:
                yield self._block(window, BLOCK, (phase - AHEAD) % self.key_every)
                del window[:BLOCK]
            asked = frame.flash or phase == 0
            own = self._ask(frame.gray) if asked else None
            before = None
            if total is not None and frame.link is not None:
                before = self._follow(total, frame.link.back, frame.link.trust_back)
            known = _add(own, before)
            assert known is not None  # a scene begins with a frame that the network sees
            ahead = None if frame.link is None else (frame.link.ahead, frame.link.trust_ahead)
            window.append(_Seen(frame.gray, frame.flash, ahead, own, known))
            total = total if frame.flash else known
            phase = (phase + 1) % self.key_every
        if window:
            yield self._block(window, len(window), phase)

    def _block(self, window: list[_Seen], length: int, phase: int) -> Block:
        """The first `length` frames of a window, with what all of it says of them."""
        means: list[Floats] = []
        after: Floats | None = None  # what the frames after this one say of it
        for number in reversed(range(len(window))):
            seen = window[number]
            if number < length:
                means.append(_mean(seen.total if seen.flash or after is None else seen.total + after))
            if seen.ahead is not None and not seen.flash:
                says = _add(seen.own, after)
                after = None if says is None else self._follow(says, *seen.ahead)
        last = next(seen for seen in reversed(window[:length]) if not seen.flash)
        return Block(means[::-1], Carry(last.gray, last.total, phase))

    def _follow(self, total: Floats, flow: Floats, trust: Floats) -> Floats:
        """A sum of one frame as the next sees it."""
        followed: Floats = warp(total, flow) * (np.float32(self.memory) * np.maximum(trust, LEAST_TRUST))[..., None]
        return followed

    def _ask(self, gray: Gray) -> Floats:
        """What the network says of a frame, with weight 1: (h, w, 3)."""
        small = torch.from_numpy(gray.astype(np.float32) / np.float32(255)).expand(1, 3, -1, -1)
        ab = self.colorizer.predict_ab(small.contiguous(), tta=self.tta, temperature=self.temperature)[0]
        return np.concatenate([ab.permute(1, 2, 0).numpy(), np.ones((*gray.shape, 1), np.float32)], axis=2)

    def _frame_by_frame(self, lumas: Iterable[Floats]) -> Iterator[Block]:
        frames = iter(lumas)
        while grays := [as_gray(luma) for luma in islice(frames, BLOCK)]:
            totals = [self._ask(gray) for gray in grays]
            yield Block([_mean(total) for total in totals], Carry(grays[-1], totals[-1], 0))


def _of_one_size(lumas: Iterable[Floats], size: tuple[int, ...] | None) -> Iterator[Floats]:
    for luma in lumas:
        size = size or luma.shape
        if luma.shape != size:
            shapes = ("x".join(map(str, shape)) for shape in (luma.shape, size))
            raise ValueError("A frame is {}, but those before it {}: give frames of one size.".format(*shapes))
        yield luma


def _add(one: Floats | None, other: Floats | None) -> Floats | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _mean(total: Floats) -> Floats:
    """The colours (2, h, w) of a sum (h, w, 3)."""
    return np.ascontiguousarray((total[..., :2] / total[..., 2:]).transpose(2, 0, 1))
