"""The canvas of the scene painter: the scenes of a batch, their random fields, and how layers are laid on."""

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from colorize.scenery.composition import draw_scenes
from colorize.scenery.noise import Array, Noise, mix, step

Layers = list[tuple[Array, Array]]
"""Colours (B, 3) and how much of each is seen where (B, H, W)."""


def lay(rgb: Array, clear: Array, layers: Layers) -> None:
    """`rgb * clear` plus the sum of colour (B, 3) times plane (B, H, W), in place."""
    colors = np.stack([color for color, _ in layers], axis=2, dtype=np.float32)
    planes = np.stack([plane for _, plane in layers], axis=1, dtype=np.float32)
    rgb *= clear[:, None]
    rgb += (colors @ planes.reshape(*planes.shape[:2], -1)).reshape(rgb.shape)


class Canvas:
    """The scenes of a batch and the fields their painters share: (B, LINES, W) lines and (B, H, W) planes.

    Light is linear. All but the mirror of a lake is a sum of colours (B, 3) times planes: a matrix product
    for each scene. All work on fixed bands of rows, so that no scene depends on its neighbours.
    """

    def __init__(self, indices: Sequence[int], size: int, seed: int) -> None:
        noise = Noise(indices, size, seed)
        s = draw_scenes(noise)
        self.noise, self.scenes, self.size = noise, s, size
        self.x = self.y = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.jagged = noise.skyline(self.x, lambda n: (4 / n) ** 0.85)
        self.soft = noise.skyline(self.x, lambda n: (4 / n) ** 1.7)
        self.swell = noise.skyline(self.x, lambda n: (4 / n) ** 3)
        self.grain = noise.grain()
        self.rough = noise.plane(1, {16: 0.6, 32: 1.0, 64: 0.9, 128: 0.7}, self.y, self.x)
        self.rough = 0.85 * self.rough + 0.45 * self.grain
        self.side = np.where(s.sun_x > 0.5, np.float32(-1), np.float32(1))
        octaves = {4: 1.0, 8: 1.0, 16: 1.0, 32: 0.9, 64: 0.7}
        self.relief = noise.plane(1, octaves, self.y * 0.8, self.x, 0.015) * (1.8 * self.side[:, :, None])
        backlit = s.facing * (1.0 - step(0.1, 0.6, s.elevation)) * 0.6
        self.sun = s.ambient + s.direct * (1.0 - backlit)
        self.tree_rows = noise.uniform(columns=8)
        self.crooked = self.jagged[:, 4] * 0.8

    def band(self, top: float, bottom: float) -> slice:
        return slice(int(top * self.size), int(np.ceil(bottom * self.size)))

    def take(self, rows: NDArray[np.int64], band: slice) -> "Canvas":
        """The same painter for some of the scenes and some of the rows of pixels."""
        taken = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and value.ndim > 1:
                planes = value.shape[1:] == (self.size, self.size)
                setattr(taken, name, value[rows, band] if planes else value[rows])
        taken.y, taken.scenes, taken.noise = self.y[band], self.scenes.take(rows), self.noise.take(rows)
        return taken

    def edge(self, depth: Array) -> Array:
        """1 where `depth` (in picture sides) is inside, 0 outside, smooth over one pixel."""
        return np.clip(depth * self.size + np.float32(0.5), 0.0, 1.0)

    def crowns(self, count: Array | float, number: int) -> Array:
        """(B, W) outline of a row of about `count` trees, 0 to 1 high."""
        phase = self.x * count + self.crooked + self.tree_rows[:, number : number + 1]
        tree = np.floor(phase)
        across = 2.0 * (phase - tree) - 1.0
        chance = (tree + 50.0 * self.tree_rows[:, number : number + 1]) * np.float32(0.618034)
        tall = 0.5 + 0.5 * (chance - np.floor(chance))
        return tall * mix(1.0 - across * across, 1.15 - 1.15 * np.abs(across), self.scenes.conifer)

    def turf(self, near: Array, octaves: dict[int, float], shift: float = 0.0) -> Array:
        """Noise lying on the ground: flatter and finer towards the horizon."""
        return self.noise.plane(0, octaves, np.log1p(near * 8.0) / np.float32(2.2), self.x, shift)

    def lit(self, albedo: Array, shade: Array, weight: Array | None = None) -> Layers:
        """`albedo` (B, 3) under `shade` (B, H, W): 0 in the shadow, 1 in the sun."""
        weight = np.ones_like(shade) if weight is None else weight
        dark = albedo * self.scenes.ambient * 0.55
        return [(dark, weight), (albedo * self.sun - dark, weight * np.maximum(shade, np.float32(-0.1)))]
