"""What the network says of photographs as the settings ask, and the pictures that are made of that."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from colorize.album.settings import Settings
from colorize.images import Photograph, Pixels, Planes
from colorize.inference.colorizer import Colorizer
from colorize.inference.colors import Colors, draw_uncertainty


@dataclass(frozen=True)
class Coloring:
    """The pictures of one photograph, each made when it is asked for, at its size and depth.

    Args:
        colorizer: merges the colours with the photograph.
        photograph: their gray is its own.
        small: what the network saw of it, (3, h, w).
        colors: what it said.
        saturation: factor on ab.
    """

    colorizer: Colorizer
    photograph: Photograph
    small: Tensor
    colors: Colors
    saturation: float

    @cached_property
    def picture(self) -> Pixels:
        """The photograph in its colours; it stays in memory, as it may be shown side by side too."""
        return self._merge(self.colors.ab)

    def sample(self, number: int) -> Pixels:
        """The photograph in other plausible colours; `number` from 0."""
        return self._merge(self.colors.samples[number])

    def for_file(self, path: Path, sample: int | None = None) -> Pixels | Planes:
        """Its picture, or the sample of that number, as a file of that name holds it."""
        ab = self.colors.ab if sample is None else self.colors.samples[sample]
        return self.colorizer.merge_for(path, self.photograph, self.small, ab, self.saturation)

    def uncertainty(self) -> Pixels:
        """The map of how unsure its colours are, (H, W), 8 bits."""
        assert self.colors.deviation is not None
        return draw_uncertainty(self.colors.deviation, *self.photograph.pixels.shape[:2])

    def _merge(self, ab: Tensor) -> Pixels:
        return self.colorizer.merge(self.photograph.pixels, self.small, ab, self.saturation)


def color(colorizer: Colorizer, photographs: list[tuple[Photograph, Tensor]], settings: Settings) -> list[Coloring]:
    """The colours of photographs, which the network sees as one batch.

    Args:
        colorizer: gives the colours.
        photographs: each and what the network sees of it, (3, h, w) of one shape.
        settings: which colours.
    """
    colors = colorizer.predict_colors(
        torch.stack([small for _, small in photographs]),
        tta=settings.tta,
        temperature=settings.temperature,
        samples=settings.samples,
        uncertainty=settings.uncertainty,
    )
    return [
        Coloring(colorizer, photograph, small, colors[number], settings.saturation)
        for number, (photograph, small) in enumerate(photographs)
    ]
