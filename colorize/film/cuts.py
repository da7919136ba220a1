"""The scenes of a film, by its luma alone: where a new one begins, and which frames a flash spoils."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from colorize.film.flow import Floats, Gray, Link, link

LEAST_MATCH = 0.25
"""Frames of one scene share at least this much of their picture, see `Link.match`."""
LONGEST_FLASH = 3
"""Frames."""


def as_gray(luma: Floats) -> Gray:
    """Luma (h, w) in [0, 1] in 8 bits."""
    gray: Gray = np.rint(luma * np.float32(255)).clip(0, 255).astype(np.uint8)
    return gray


@dataclass(frozen=True)
class Frame:
    """A frame and its place in its scene.

    Attributes:
        gray: its luma in 8 bits, (h, w).
        link: its motion since the last frame of the scene that no flash spoils; None of a scene's first frame.
        flash: whether a flash spoils it: the frame after the flash is linked with the one before it.
    """

    gray: Gray
    link: Link | None
    flash: bool = False


def find_scenes(lumas: Iterable[Floats], last: Gray | None = None) -> Iterator[Frame]:
    """The frames of a film, each linked with the one before it in its scene.

    A frame that does not match the one before it, though motion, brightness and contrast are made up for, begins a
    scene; unless one of the next `LONGEST_FLASH` frames does match: then what is between is a flash.

    Args:
        lumas: of all frames in order, each (h, w) in [0, 1].
        last: the last frame before them that no flash spoils, of 8 bits; None at the beginning of a film.
    """
    grays = (as_gray(luma) for luma in lumas)
    ahead: list[Gray] = []
    while ahead := ahead or list(islice(grays, 1)):
        links = [] if last is None else _links_to_match(last, ahead, grays)
        if links and links[-1].match >= LEAST_MATCH:
            *flashes, _ = links
            yield from (Frame(gray, flash, True) for gray, flash in zip(ahead, flashes, strict=False))
            last = ahead[len(flashes)]
            yield Frame(last, links[-1])
            del ahead[: len(links)]
        else:
            last = ahead.pop(0)
            yield Frame(last, None)


def _links_to_match(last: Gray, ahead: list[Gray], grays: Iterator[Gray]) -> list[Link]:
    """The links of `last` with the frames after it, up to the first that matches, or that no flash reaches.

    Args:
        last: the last frame that no flash spoils.
        ahead: the frames after it that were read already; more are added to it as they are needed.
        grays: the frames after those.
    """
    links: list[Link] = []
    for number in range(LONGEST_FLASH + 1):
        if number == len(ahead):
            ahead += islice(grays, 1)
        if number == len(ahead):  # the film has ended
            break
        links.append(link(last, ahead[number]))
        if links[-1].match >= LEAST_MATCH:
            break
    return links
