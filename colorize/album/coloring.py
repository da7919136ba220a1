"""What the network says of photographs as the settings ask, and the pictures that are made of that."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from colorize.album.settings import Settings
from colorize.images import Pixels
from colorize.inference.colorizer import Colorizer
from colorize.inference.colors import Colors, draw_uncertainty


@dataclass(frozen=True)
class Coloring:
    """The pictures of one photograph, each made when it is asked for, at its size and depth.

    Args:
        colorizer: merges the colours with the photograph.
        pixels: of the photograph.
        small: what the network saw of it, (3, h, w).
        colors: what it said.
        saturation: factor on ab.
    """

    colorizer: Colorizer
    pixels: Pixels
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

    def uncertainty(self) -> Pixels:
        """The map of how unsure its colours are, (H, W), 8 bits."""
        assert self.colors.deviation is not None
        return draw_uncertainty(self.colors.deviation, *self.pixels.shape[:2])

    def _merge(self, ab: Tensor) -> Pixels:
        return self.colorizer.merge(self.pixels, self.small, ab, self.saturation)


def color(colorizer: Colorizer, photographs: list[tuple[Pixels, Tensor]], settings: Settings) -> list[Coloring]:
    """The colours of photographs, which the network sees as one batch.

    Args:
        colorizer: gives the colours.
        photographs: the pixels of each and what the network sees of it, (3, h, w) of one shape.
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
        Coloring(colorizer, pixels, small, colors[number], settings.saturation)
        for number, (pixels, small) in enumerate(photographs)
    ]
