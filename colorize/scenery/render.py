"""Landscapes painted from a seed: the data set that is there on a bare machine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from colorize.errors import ColorizeError
from colorize.scenery.canvas import Canvas, Layers, lay
from colorize.scenery.composition import SNOW_WHITE
from colorize.scenery.land import paint_land
from colorize.scenery.noise import Array, mix, step

_CHUNK_PIXELS = 64 * 64 * 64  # painted at once: keeps the memory flat


def render_scenes(indices: Sequence[int] | NDArray[np.integer], size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Paint landscapes.

    Scene `i` depends on `(seed, i, size)` alone, whatever else is in the batch, and shows the same
    composition at every size.

    Args:
        indices: N numbers of scenes, 0 or greater; there is no last one.
        size: side of the pictures in pixels, 8 or greater.
        seed: another seed is another world, 0 or greater.

    Returns:
        uint8 RGB (N, size, size, 3).

    Raises:
        ColorizeError: a size below 8, a negative index or a negative seed.
    """
    numbers = [int(i) for i in indices]
    if size < 8:
        raise ColorizeError(f"Scenes are painted from 8 pixels a side on, not {size}: give a larger size.")
    if seed < 0 or min(numbers, default=0) < 0:
        wrong = f"seed {seed}" if seed < 0 else f"index {min(numbers)}"
        raise ColorizeError(f"Scenes are counted from 0 on, and {wrong} is negative: give 0 or more.")
    out = np.empty((len(numbers), size, size, 3), np.uint8)
    count = max(1, _CHUNK_PIXELS // (size * size))
    for start in range(0, len(numbers), count):
        out[start : start + count] = _paint(Canvas(numbers[start : start + count], size, seed))
    return out


def _paint(canvas: Canvas) -> NDArray[np.uint8]:
    rgb = np.zeros((len(canvas.rough), 3, canvas.size, canvas.size), np.float32)
    _sky(canvas, rgb[:, :, canvas.band(0.0, 0.76)])
    _ridges(canvas, rgb[:, :, canvas.band(0.1, 0.76)])
    paint_land(canvas, rgb)
    rgb *= 1.0 + 0.025 * canvas.grain[:, None]
    np.clip(rgb, 0.0, 1.0, out=rgb)
    np.sqrt(rgb, out=rgb)
    return (rgb * 255.0 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)


def _sky(canvas: Canvas, rgb: Array) -> None:
    s, noise = canvas.scenes, canvas.noise
    y = canvas.y[: rgb.shape[2]]
    height = np.clip(1.0 - y / s.horizon, 0.0, 1.0)
    low, high = step(0.0, 0.4, height)[:, None], step(0.15, 1.1, height)[:, None]
    rows = mix(mix(s.skirt[:, :, None], s.middle[:, :, None], low), s.zenith[:, :, None], high)
    rgb += rows[:, :, :, None]

    dx, dy = canvas.x - s.sun_x, y - s.sun_y
    distance = (dx * dx)[:, None, :] + (dy * dy)[:, :, None]
    shine = s.facing * (1.0 - s.gray) * step(-0.2, 0.05, s.elevation)
    spread = 22.0 + 40.0 * s.elevation
    glow = (0.5 * shine)[:, :, None] / (1.0 + distance * spread[:, :, None])
    near = np.maximum(1.0 - distance * 50.0, 0.0)
    glow += near * near * near * (0.5 * shine)[:, :, None]
    radius = 0.02 + 0.012 * s.free[:, :1]
    disc = canvas.edge(radius[:, :, None] - np.sqrt(distance)) * (shine * (s.elevation > -0.03))[:, :, None]

    depth = 0.9 * (1.0 - np.clip(1.0 - y / 0.76, 0.0, 1.0) ** np.float32(0.7))
    octaves = {4: 1.0, 8: 1.0, 16: 0.6, 32: 0.35, 64: 0.25, 128: 0.15}
    cloud = noise.plane(0, octaves, depth, canvas.x * 0.7)
    above = noise.plane(0, {4: 1.0, 8: 1.0, 16: 0.6}, np.maximum(depth - 0.05, 0.0), canvas.x * 0.7)
    threshold = (1.5 - 3.4 * s.cover)[:, :, None]
    opaque = step(threshold, threshold + np.float32(1.0), cloud)
    opaque *= (step(0.02, 0.2, s.cover) * (0.5 + 0.5 * step(0.0, 0.25, height)))[:, :, None]
    light = np.clip(0.62 + 0.3 * (cloud - above) - 0.14 * cloud * opaque, 0.0, 1.0)
    lit = mix(s.ambient * 0.8 + s.direct * 0.8, s.skirt, 0.25)
    shadow = mix(s.ambient * 1.05, s.middle, 0.45) * 0.8
    clear = 1.0 - opaque
    hot = np.maximum(np.sqrt(s.direct), np.float32(0.1)) * 1.3
    layers = [
        (s.direct, glow * clear),
        (hot, disc * clear),
        (shadow, opaque),
        (lit - shadow, opaque * light),
    ]
    lay(rgb, clear, layers)


def _ridges(canvas: Canvas, rgb: Array) -> None:
    """Four layers, near to far; some are rock, some wood, some grass, and some are not there."""
    s = canvas.scenes
    band = canvas.band(0.1, 0.76)
    y, rough, relief = canvas.y[band, None], canvas.rough[:, band], canvas.relief[:, band]
    veil = s.haze * np.asarray([0.75, 0.5, 0.26, 0.1], np.float32)
    air = mix(s.middle, s.skirt, 0.45) * 0.9
    clear = np.ones_like(rough)
    layers: Layers = []
    for k in (3, 2, 1, 0):
        rock, grass, mist = (a[:, k : k + 1] for a in (s.rocky, s.grassy, veil))
        line = mix(canvas.soft[:, k], canvas.jagged[:, k], rock)
        trees = (1.0 - rock) * (1.0 - grass) * (0.004 + 0.007 * k) * canvas.crowns(50.0 - 9.0 * k, k)
        rise = s.lift[:, k : k + 1] + s.swing[:, k : k + 1] * line
        top = s.horizon - rise / np.sqrt(1.0 + (rise / (s.horizon - 0.1)) ** 2)
        slope = np.clip(np.gradient(top, axis=1) * (canvas.size * canvas.side) * -1.2, -1.0, 1.0)
        slope *= 0.08 + 0.2 * rock
        top = np.where(s.here[:, k : k + 1] > 0, top - trees, np.float32(2.0))
        depth = y - top[:, None, :]
        weight = canvas.edge(depth) * clear
        clear -= weight
        depth = np.maximum(depth, 0.0)
        fade = np.maximum(1.0 - depth * 9.0, 0.0)
        shade = rough * (0.2 - 0.17 * rock)[:, :, None]
        shade += relief * (0.08 + 0.24 * rock + 0.1 * grass)[:, :, None]
        shade += fade * slope[:, None, :] + np.float32(0.5)
        haze = np.minimum(depth * 4.0, 1.0) * (mist * 0.65)[:, :, None]
        albedo = mix(mix(s.wood, s.grass * 0.85, grass), s.rock, rock)
        albedo = mix(albedo, SNOW_WHITE, 0.35 * s.winter * (1.0 - rock))
        layers.append((air, weight * haze))
        weight *= 1.0 - haze
        if k < 2:
            edge = 0.35 + 0.9 * s.free[:, 8:9] + 0.8 * s.winter
            cap = relief * 0.35 + rough * 0.15 + edge[:, :, None] - depth * np.float32(12.0 - 4.0 * k)
            cap = step(0.0, 0.5, cap)
            cap *= s.snowy[:, k : k + 1, None] * weight
            weight -= cap
            low = mix(s.ambient * 0.9, air, mist)
            layers += [(low, cap), (mix(canvas.sun * SNOW_WHITE * 0.9, air, mist * 0.8) - low, cap * shade)]
        dark = mix(albedo * s.ambient * 0.6, air, mist)
        layers += [(dark, weight), (mix(albedo * canvas.sun, air, mist) - dark, weight * shade)]
    lay(rgb, clear, layers)
