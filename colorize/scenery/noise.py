"""Smooth random fields for the scene painter, the same at every picture size and in every batch."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 everywhere; the type stubs of NumPy would widen it to float64

OCTAVES = (4, 8, 16, 32, 64, 128, 256)
"""Cells along one side of the picture, coarse to fine; those finer than two pixels are left out."""
LINES = 5
"""How many independent one-dimensional noises a scene has."""
_UNIFORMS = 96
_GRAIN = np.random.default_rng(0).standard_normal((512, 512), dtype=np.float32)


class Noise:
    """All that is random in a batch of scenes: numbers, lattices and pixel grain.

    Scene `i` draws from `default_rng([seed, i])`: first its numbers, then its lattices from coarse to
    fine, so that a larger picture adds detail and changes nothing else. The fields have mean 0 and a standard
    deviation of about 1.
    """

    def __init__(self, indices: Sequence[int], size: int, seed: int) -> None:
        octaves = [n for n in OCTAVES if n <= max(size // 2, 16)]
        lengths = [LINES * (n + 3) + 2 * (n + 3) ** 2 for n in octaves]
        draws = np.empty((len(indices), _UNIFORMS + sum(lengths)), np.float32)
        for row, index in zip(draws, indices, strict=True):
            np.random.default_rng([seed, index]).random(dtype=np.float32, out=row)
        self.size = size
        self.lines: dict[int, Array] = {}
        self.planes: dict[int, Array] = {}
        self._uniforms = (draws[:, column, None] for column in range(_UNIFORMS))
        start = _UNIFORMS
        for n, length in zip(octaves, lengths, strict=True):
            block = 2.0 * draws[:, start : start + length] - 1.0
            self.lines[n] = block[:, : LINES * (n + 3)].reshape(-1, LINES, n + 3)
            self.planes[n] = block[:, LINES * (n + 3) :].reshape(-1, 2, n + 3, n + 3)
            start += length

    def uniform(self, low: float = 0.0, high: float = 1.0, columns: int = 1) -> Array:
        """(B, columns) fresh numbers in [low, high)."""
        return np.concatenate([next(self._uniforms) for _ in range(columns)], axis=1) * (high - low) + low

    def chance(self, probability: float, columns: int = 1) -> Array:
        """(B, columns) of 1 with the given probability, else 0."""
        return (self.uniform(columns=columns) < probability).astype(np.float32)

    def choice(self, weights: Sequence[float]) -> NDArray[np.int64]:
        """(B, 1) positions in `weights`, drawn in their proportion."""
        edges = np.cumsum(np.asarray(weights) / np.sum(weights))[:-1]
        return np.asarray(np.searchsorted(edges, self.uniform(), side="right"))

    def skyline(self, x: Array, gain: Callable[[int], float]) -> Array:
        """(B, LINES, W) noise along `x` (W,) in [0, 1]; `gain` gives the amplitude of an octave."""
        octaves = [gain(n) * 2.5 * (lattice @ _spline(x, n).T) for n, lattice in self.lines.items()]
        return np.asarray(np.sum(octaves, axis=0, dtype=np.float32))

    def plane(self, which: int, weights: dict[int, float], y: Array, x: Array, shift: float = 0.0) -> Array:
        """(B, H, W) noise at rows `y` (H,) or (B, H) and columns `x` (W,) or (B, W), all in [0, 1].

        `which` picks one of two independent fields, `weights` the amplitude of each octave. With a
        `shift` it is the difference between the places `shift` to the right and to the left.
        """
        total: Array | None = None
        scale = 3.6 / float(np.sqrt(sum(w * w for w in weights.values())))
        for n, weight in weights.items():
            if n not in self.planes:
                continue
            columns = _spline(x + shift, n) - _spline(x - shift, n) if shift else _spline(x, n)
            rows = _spline(y, n) * np.float32(weight * scale)
            octave = (rows @ self.planes[n][:, which]) @ np.swapaxes(columns, -1, -2)
            total = octave if total is None else total + octave
        assert total is not None
        return total

    def take(self, rows: NDArray[np.int64]) -> "Noise":
        """The lattices of some of the scenes."""
        taken = copy(self)
        taken.lines = {n: lattice[rows] for n, lattice in self.lines.items()}
        taken.planes = {n: lattice[rows] for n, lattice in self.planes.items()}
        return taken

    def grain(self) -> Array:
        """(B, H, W) white noise, one value per pixel."""
        corner = (self.uniform(columns=2) * 512).astype(np.int64)
        tile = np.pad(_GRAIN, ((0, self.size), (0, self.size)), mode="wrap")
        return np.stack([tile[row : row + self.size, column : column + self.size] for row, column in corner])


def mix(a: Array, b: Array, t: Array | float) -> Array:
    """`a` where `t` is 0, `b` where it is 1."""
    mixed: Array = a + (b - a) * t
    return mixed


def step(low: float | Array, high: float | Array, x: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    smooth: Array = t * t * (3.0 - 2.0 * t)
    return smooth


def _spline(t: Array, n: int) -> Array:
    """(..., n + 3) weights of the cubic B-spline at `t` in [0, 1] over `n` cells."""
    distance = np.abs(t[..., None] * n + 1.0 - np.arange(n + 3, dtype=np.float32))
    near, far = np.maximum(1.0 - distance, 0.0), np.maximum(2.0 - distance, 0.0)
    weights: Array = (far * far * far - 4.0 * near * near * near) / 6.0
    return weights
