"""Landscapes painted from a seed: the data set that is there on a bare machine."""

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from colorize.data.composition import DRY_GRASS, SNOW_WHITE, WATER, Scenes, draw_scenes
from colorize.data.noise import Array, Noise, mix, step
from colorize.errors import ColorizeError

_CHUNK_PIXELS = 64 * 64 * 64  # painted at once: keeps the memory flat


def _add(rgb: Array, clear: Array, parts: list[tuple[Array, Array]]) -> None:
    """``rgb * clear`` plus the sum of colour (B, 3) times plane (B, H, W), in place."""
    colors = np.stack([color for color, _ in parts], axis=2, dtype=np.float32)
    planes = np.stack([plane for _, plane in parts], axis=1, dtype=np.float32)
    rgb *= clear[:, None]
    rgb += (colors @ planes.reshape(*planes.shape[:2], -1)).reshape(rgb.shape)


class _Painter:
    """Paints a batch of scenes from back to front.

    Light is linear. All but the mirror of a lake is a sum of colours (B, 3) times planes (B, H, W), one matrix
    product a scene. A painter works on a fixed band of rows, so that no scene depends on its neighbours.
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
        octaves = {4: 1.0, 8: 1.0, 16: 0.9, 32: 0.8, 64: 0.8}
        self.relief = noise.plane(1, octaves, self.y, self.x, 0.02) * (1.8 * self.side[:, :, None])
        backlit = s.facing * (1.0 - step(0.1, 0.6, s.elevation)) * 0.6
        self.sun = s.ambient + s.direct * (1.0 - backlit)
        self.tree_rows = noise.uniform(columns=8)
        self.crooked = self.jagged[:, 4] * 0.8

    def paint(self) -> NDArray[np.uint8]:
        rgb = np.zeros((len(self.rough), 3, self.size, self.size), np.float32)
        self.sky(rgb[:, :, self.band(0.0, 0.76)])
        self.ridges(rgb[:, :, self.band(0.1, 0.76)])
        self.land(rgb)
        rgb *= 1.0 + 0.025 * self.grain[:, None]
        np.clip(rgb, 0.0, 1.0, out=rgb)
        np.sqrt(rgb, out=rgb)
        return (rgb * 255.0 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)

    def band(self, top: float, bottom: float) -> slice:
        return slice(int(top * self.size), int(np.ceil(bottom * self.size)))

    def edge(self, depth: Array) -> Array:
        """1 where ``depth`` (in picture sides) is inside, 0 outside, smooth over one pixel."""
        return np.clip(depth * self.size + np.float32(0.5), 0.0, 1.0)

    def crowns(self, count: Array | float, number: int) -> Array:
        """(B, W) outline of a row of about ``count`` trees, 0 to 1 high."""
        phase = self.x * count + self.crooked + self.tree_rows[:, number : number + 1]
        tree = np.floor(phase)
        across = 2.0 * (phase - tree) - 1.0
        chance = (tree + 50.0 * self.tree_rows[:, number : number + 1]) * np.float32(0.618034)
        tall = 0.5 + 0.5 * (chance - np.floor(chance))
        return tall * mix(1.0 - across * across, 1.15 - 1.15 * np.abs(across), self.scenes.conifer)

    def sky(self, rgb: Array) -> None:
        s, noise = self.scenes, self.noise
        y = self.y[: rgb.shape[2]]
        height = np.clip(1.0 - y / s.horizon, 0.0, 1.0)
        low, high = step(0.0, 0.4, height)[:, None], step(0.15, 1.1, height)[:, None]
        rows = mix(mix(s.skirt[:, :, None], s.middle[:, :, None], low), s.zenith[:, :, None], high)
        rgb += rows[:, :, :, None]

        dx, dy = self.x - s.sun_x, y - s.sun_y
        distance = (dx * dx)[:, None, :] + (dy * dy)[:, :, None]
        shine = s.facing * (1.0 - s.gray) * step(-0.2, 0.05, s.elevation)
        spread = 22.0 + 40.0 * s.elevation
        glow = (0.5 * shine)[:, :, None] / (1.0 + distance * spread[:, :, None])
        near = np.maximum(1.0 - distance * 50.0, 0.0)
        glow += near * near * near * (0.5 * shine)[:, :, None]
        radius = 0.02 + 0.012 * s.free[:, :1]
        disc = self.edge(radius[:, :, None] - np.sqrt(distance)) * (shine * (s.elevation > -0.03))[:, :, None]

        depth = 0.9 * (1.0 - np.clip(1.0 - y / 0.76, 0.0, 1.0) ** np.float32(0.7))
        octaves = {4: 1.0, 8: 1.0, 16: 0.6, 32: 0.35, 64: 0.25, 128: 0.15}
        cloud = noise.plane(0, octaves, depth, self.x * 0.7)
        above = noise.plane(0, {4: 1.0, 8: 1.0, 16: 0.6}, np.maximum(depth - 0.05, 0.0), self.x * 0.7)
        threshold = (1.5 - 3.4 * s.cover)[:, :, None]
        opaque = step(threshold, threshold + np.float32(1.0), cloud)
        opaque *= (step(0.02, 0.2, s.cover) * (0.5 + 0.5 * step(0.0, 0.25, height)))[:, :, None]
        light = np.clip(0.62 + 0.3 * (cloud - above) - 0.14 * cloud * opaque, 0.0, 1.0)
        lit = mix(s.ambient * 0.8 + s.direct * 0.8, s.skirt, np.float32(0.25))
        shadow = mix(s.ambient * 1.05, s.middle, np.float32(0.45)) * 0.8
        clear = 1.0 - opaque
        hot = np.maximum(np.sqrt(s.direct), np.float32(0.1)) * 1.3
        parts = [
            (s.direct, glow * clear),
            (hot, disc * clear),
            (shadow, opaque),
            (lit - shadow, opaque * light),
        ]
        _add(rgb, clear, parts)

    def ridges(self, rgb: Array) -> None:
        """Four layers, near to far; some are rock, some wood, some grass, and some are not there."""
        s = self.scenes
        band = self.band(0.1, 0.76)
        y, rough, relief = self.y[band, None], self.rough[:, band], self.relief[:, band]
        veil = s.haze * np.asarray([0.75, 0.5, 0.26, 0.1], np.float32)
        air = mix(s.middle, s.skirt, np.float32(0.45)) * 0.9
        clear = np.ones_like(rough)
        parts: list[tuple[Array, Array]] = []
        for k in (3, 2, 1, 0):
            rock, grass, mist = (a[:, k : k + 1] for a in (s.rocky, s.grassy, veil))
            line = mix(self.soft[:, k], self.jagged[:, k], rock)
            trees = (1.0 - rock) * (1.0 - grass) * (0.004 + 0.007 * k) * self.crowns(50.0 - 9.0 * k, k)
            top = s.horizon - s.lift[:, k : k + 1] - s.swing[:, k : k + 1] * line
            slope = np.clip(np.gradient(top, axis=1) * (self.size * self.side) * -1.2, -1.0, 1.0)
            slope *= 0.08 + 0.2 * rock
            top = np.where(s.here[:, k : k + 1] > 0, top - trees, np.float32(2.0))
            depth = y - top[:, None, :]
            weight = self.edge(depth) * clear
            clear -= weight
            depth = np.maximum(depth, 0.0)
            fade = np.maximum(1.0 - depth * 9.0, 0.0)
            shade = rough * (0.2 - 0.17 * rock)[:, :, None]
            shade += relief * (0.08 + 0.24 * rock + 0.1 * grass)[:, :, None]
            shade += fade * slope[:, None, :] + np.float32(0.5)
            haze = np.minimum(depth * 4.0, 1.0) * (mist * 0.65)[:, :, None]
            albedo = mix(mix(s.wood, s.grass * 0.85, grass), s.rock, rock)
            albedo = mix(albedo, SNOW_WHITE, 0.35 * s.winter * (1.0 - rock))
            parts.append((air, weight * haze))
            weight *= 1.0 - haze
            if k < 2:
                edge = 0.35 + 0.9 * s.free[:, 8:9] + 0.8 * s.winter
                cap = relief * 0.35 + rough * 0.15 + edge[:, :, None] - depth * np.float32(12.0 - 4.0 * k)
                cap = step(0.0, 0.5, cap)
                cap *= s.snowy[:, k : k + 1, None] * weight
                weight -= cap
                low = mix(s.ambient * 0.75, air, mist)
                parts += [(low, cap), (mix(self.sun * SNOW_WHITE * 0.9, air, mist * 0.8) - low, cap * shade)]
            dark = mix(albedo * s.ambient * 0.6, air, mist)
            parts += [(dark, weight), (mix(albedo * self.sun, air, mist) - dark, weight * shade)]
        _add(rgb, clear, parts)

    def land(self, rgb: Array) -> None:
        cls = _Painter
        painters = (cls.meadow, cls.field, cls.woods, cls.lake, cls.snow, cls.dunes)
        band = self.band(0.36, 1.0)
        for kind, painter in enumerate(painters):
            rows = np.flatnonzero(self.scenes.ground[:, 0] == kind)
            if not rows.size:
                continue
            part = self.take(rows, band)
            near = np.clip((part.y - part.scenes.horizon) / (1.0 - part.scenes.horizon), 0.0, 1.0)
            rise = 0.0 if kind == WATER else 0.015
            mask = self.edge((part.y - part.scenes.horizon)[:, :, None] - rise * part.soft[:, 4, None, :])
            whole = rgb[rows]
            under = whole[:, :, band]
            if kind == WATER:
                mask *= part.mirror(whole, under, near)
            parts = [(color, weight * mask) for color, weight in painter(part, near)]
            _add(under, 1.0 - mask, parts)
            rgb[rows] = whole
        rows = np.flatnonzero(self.scenes.trees[:, 0] > 0)
        if rows.size:
            whole = rgb[rows]
            self.take(rows, self.band(0.0, 1.0)).trees(whole)
            rgb[rows] = whole

    def take(self, rows: NDArray[np.int64], band: slice) -> "_Painter":
        """The same painter for some of the scenes and some of the rows of pixels."""
        part = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and value.ndim > 1:
                planes = value.shape[1:] == (self.size, self.size)
                setattr(part, name, value[rows, band] if planes else value[rows])
        part.y, part.scenes, part.noise = self.y[band], self.scenes.take(rows), self.noise.take(rows)
        return part

    def turf(self, near: Array, octaves: dict[int, float], shift: float = 0.0) -> Array:
        """Noise lying on the ground: flatter and finer towards the horizon."""
        return self.noise.plane(0, octaves, np.log1p(near * 8.0) / np.float32(2.2), self.x, shift)

    def lit(self, albedo: Array, shade: Array, weight: Array | None = None) -> list[tuple[Array, Array]]:
        """``albedo`` (B, 3) under ``shade`` (B, H, W): 0 in the shadow, 1 in the sun."""
        weight = np.ones_like(shade) if weight is None else weight
        dark = albedo * self.scenes.ambient * 0.55
        return [(dark, weight), (albedo * self.sun - dark, weight * np.maximum(shade, np.float32(-0.1)))]

    def meadow(self, near: Array) -> list[tuple[Array, Array]]:
        s = self.scenes
        lumps = self.turf(near, {8: 0.6, 16: 0.8, 32: 1.0, 64: 0.8})
        wide = self.turf(near, {4: 1.0, 8: 0.6})
        cast = (1.0 - s.gray) * step(0.1, 0.3, s.cover) * 0.25
        shade = 0.66 + 0.09 * lumps + self.rough * (0.03 + 0.1 * near)[:, :, None]
        shade -= step(0.2, 1.0, wide) * cast[:, :, None]
        dry = mix(s.grass, DRY_GRASS, s.free[:, 2:3])
        ripe = step(-1.0, 2.0, lumps - wide)
        bloom = step(1.0, 1.5, self.rough + 0.5 * lumps) * ((s.free[:, 3:4] < 0.4) * near)[:, :, None]
        grass = self.lit(s.grass, shade, (1.0 - ripe) * (1.0 - bloom))
        return grass + self.lit(dry, shade, ripe * (1.0 - bloom)) + [(s.flower * self.sun * 0.85, bloom)]

    def field(self, near: Array) -> list[tuple[Array, Array]]:
        s = self.scenes
        lumps = self.turf(near, {8: 0.7, 16: 0.8, 32: 1.0})
        count = (2.0 + 4.0 * s.free[:, 4:5]) / (near + np.float32(0.1))
        phase = (self.x - (2.0 * s.free[:, 5:6] - 0.5))[:, None, :] * count[:, :, None]
        visible = np.clip(1.2 - 3.0 * count / self.size, 0.0, 1.0) * (s.free[:, 6:7] < 0.7)
        furrow = np.cos(np.float32(2 * np.pi) * phase) * visible[:, :, None]
        shade = 0.66 + 0.07 * lumps + 0.12 * furrow + self.rough * (0.02 + 0.08 * near)[:, :, None]
        return self.lit(s.soil, shade)

    def woods(self, near: Array) -> list[tuple[Array, Array]]:
        """Rows of trees, each before the last, taller and wider towards us."""
        s = self.scenes
        shade = 0.45 + 0.2 * self.rough
        glow = self.rough * 0.16 + self.relief * 0.1
        for j in range(7):
            place = (j / 7) ** 1.5
            tall = (0.035 + 0.2 * place) * (1.0 - s.horizon) * 1.8
            crowns = self.crowns(30.0 / (1.0 + 5.0 * place), j)
            foot = s.horizon + place * (1.0 - s.horizon) + 0.4 * tall
            depth = self.y[:, None] - (foot - tall * crowns)[:, None, :]
            color = 0.68 - depth * (0.75 / tall)[:, :, None] + glow
            shade += (np.maximum(color, np.float32(0.05)) - shade) * self.edge(depth)
        other = step(-0.6, 1.4, self.turf(near, {8: 1.0, 16: 1.0}))
        return self.lit(s.wood, shade, 1.0 - other) + self.lit(s.wood2, shade, other)

    def mirror(self, whole: Array, under: Array, near: Array) -> Array:
        """Turn the picture over into the lake, broken by waves; returns how much of the water is seen."""
        s = self.scenes
        depth = np.log1p(near * 14.0) / np.float32(2.75)
        waves = self.noise.plane(1, {16: 0.8, 32: 1.0, 64: 0.9}, depth, self.x * 0.25)
        rough = 0.15 + 0.85 * s.free[:, 7:8]
        place = (2.0 * s.horizon - self.y)[:, :, None] + waves * (rough * (0.006 + 0.04 * near))[:, :, None]
        place = np.clip(place, 0.0, s.horizon[:, :, None] - 0.004)
        pixel = (place * self.size).astype(np.int64) * self.size + np.arange(self.size)
        for scene, (target, source) in enumerate(zip(under, whole, strict=True)):
            lake = self.y > s.horizon[scene]
            target[:, lake] = source.reshape(3, -1)[:, pixel[scene, lake]] * np.float32(0.92)
        seen = (0.22 + 0.5 * near * rough)[:, :, None] - waves * (0.12 * rough)[:, :, None]
        return np.clip(seen, 0.05, 0.85)

    def lake(self, near: Array) -> list[tuple[Array, Array]]:
        s = self.scenes
        return [(s.water * (s.ambient + 0.6 * s.direct) * 1.1, np.ones_like(self.rough))]

    def snow(self, near: Array) -> list[tuple[Array, Array]]:
        s = self.scenes
        drifts = self.turf(near, {4: 1.0, 8: 0.8, 16: 0.4}, 0.04) * self.side[:, :, None]
        shade = np.clip(0.66 + 0.24 * drifts + 0.03 * self.rough, 0.0, 1.1)
        low = s.ambient * np.asarray([0.72, 0.9, 1.12], np.float32)
        return [(low, np.ones_like(shade)), (self.sun * SNOW_WHITE * 0.85 - low, shade)]

    def dunes(self, near: Array) -> list[tuple[Array, Array]]:
        """Crests one before the other, a bright and a dark side each, with ripples."""
        s = self.scenes
        level = self.turf(near, {4: 1.0, 8: 0.5})
        ripple = np.sin(level * 4.0 + (near * 70.0)[:, :, None]) * near[:, :, None] * 0.04 + 0.03 * self.rough
        shade = 0.7 + 0.06 * level + ripple
        for j in range(3):
            place = (0.05 + 0.25 * j + 0.15 * self.tree_rows[:, j : j + 1]) * (1.0 - s.horizon)
            top = s.horizon + place - (0.3 * place + 0.01) * self.swell[:, j]
            slope = np.clip(np.gradient(top, axis=1) * (-2.2 * self.size * self.side), -1.0, 1.0)
            depth = np.maximum(self.y[:, None] - top[:, None, :], 0.0)
            fade = np.maximum(1.0 - depth / (0.04 + 0.7 * place)[:, :, None], 0.0)
            crest = 0.7 + ripple + 0.06 * level + slope[:, None, :] * fade * fade * 0.4
            shade += (crest - shade) * self.edge(self.y[:, None] - top[:, None, :])
        return self.lit(s.soil, shade)

    def trees(self, rgb: Array) -> None:
        """Two single trees before the land, crowns lit from the side of the sun."""
        s = self.scenes
        for number in range(2):
            center, size = s.free[:, 9 + number :][:, :1], 0.1 + 0.3 * s.free[:, 8 - number :][:, :1] ** 2
            foot = s.horizon + 0.02 + (1.0 - s.horizon) * 0.8 * (size - 0.08)
            dx = (self.x - center)[:, None, :] / size[:, :, None]
            up = ((foot - self.y) / size)[:, :, None]
            ragged = self.rough * 0.12
            cone = np.minimum(0.27 * (1.02 - up), up * 3.0) * (1.0 + 1.6 * ragged) - np.abs(dx)
            crown = 0.36 - np.sqrt(dx * dx + (up - 0.62) ** 2) + ragged * 0.4
            trunk = np.minimum(np.minimum(0.035 - np.abs(dx), up), 0.6 - up)
            inside = np.maximum(mix(crown, cone, s.conifer[:, :, None]), trunk)
            mask = self.edge(inside * size[:, :, None])
            shade = 0.34 + 0.2 * self.rough - 0.6 * dx * self.side[:, :, None] + 0.25 * (up - 0.6)
            shade *= up > 0.22
            _add(rgb, 1.0 - mask, self.lit(s.wood, shade, mask))


def render_scenes(
    indices: Sequence[int] | NDArray[np.integer], size: int, seed: int = 0
) -> NDArray[np.uint8]:
    """Paint landscapes.

    Scene ``i`` depends on ``(seed, i, size)`` alone, whatever else is in the batch, and shows the same
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
    step = max(1, _CHUNK_PIXELS // (size * size))
    for start in range(0, len(numbers), step):
        out[start : start + step] = _Painter(numbers[start : start + step], size, seed).paint()
    return out
