"""The land of a painted scene, below its horizon: meadow, field, woods, lake, snow, dunes and single trees."""

import numpy as np

from colorize.scenery.canvas import Canvas, Layers, lay
from colorize.scenery.composition import DRY_GRASS, SNOW_WHITE, WATER
from colorize.scenery.noise import Array, mix, step


def paint_land(canvas: Canvas, rgb: Array) -> None:
    painters = (meadow, field, woods, lake, snow, dunes)
    band = canvas.band(0.36, 1.0)
    for kind, painter in enumerate(painters):
        rows = np.flatnonzero(canvas.scenes.ground[:, 0] == kind)
        if not rows.size:
            continue
        taken = canvas.take(rows, band)
        near = np.clip((taken.y - taken.scenes.horizon) / (1.0 - taken.scenes.horizon), 0.0, 1.0)
        rise = 0.0 if kind == WATER else 0.015
        mask = canvas.edge((taken.y - taken.scenes.horizon)[:, :, None] - rise * taken.soft[:, 4, None, :])
        whole = rgb[rows]
        under = whole[:, :, band]
        if kind == WATER:
            mask *= mirror(taken, whole, under, near)
        layers = [(color, weight * mask) for color, weight in painter(taken, near)]
        lay(under, 1.0 - mask, layers)
        rgb[rows] = whole
    rows = np.flatnonzero(canvas.scenes.trees[:, 0] > 0)
    if rows.size:
        whole = rgb[rows]
        trees(canvas.take(rows, canvas.band(0.0, 1.0)), whole)
        rgb[rows] = whole


def meadow(canvas: Canvas, near: Array) -> Layers:
    s = canvas.scenes
    lumps = canvas.turf(near, {8: 0.6, 16: 0.8, 32: 1.0, 64: 0.8})
    wide = canvas.turf(near, {4: 1.0, 8: 0.6})
    cast = (1.0 - s.gray) * step(0.1, 0.3, s.cover) * 0.25
    shade = 0.66 + 0.09 * lumps + canvas.rough * (0.03 + 0.1 * near)[:, :, None]
    shade -= step(0.2, 1.0, wide) * cast[:, :, None]
    dry = mix(s.grass, DRY_GRASS, 0.7 * s.free[:, 2:3])
    ripe = step(-1.0, 2.0, lumps - wide)
    bloom = step(1.0, 1.5, canvas.rough + 0.5 * lumps) * ((s.free[:, 3:4] < 0.4) * near)[:, :, None]
    grass = canvas.lit(s.grass, shade, (1.0 - ripe) * (1.0 - bloom))
    return grass + canvas.lit(dry, shade, ripe * (1.0 - bloom)) + [(s.flower * canvas.sun * 0.85, bloom)]


def field(canvas: Canvas, near: Array) -> Layers:
    s = canvas.scenes
    lumps = canvas.turf(near, {8: 0.7, 16: 0.8, 32: 1.0})
    count = (2.0 + 4.0 * s.free[:, 4:5]) / (near + np.float32(0.1))
    phase = (canvas.x - (2.0 * s.free[:, 5:6] - 0.5))[:, None, :] * count[:, :, None]
    visible = np.clip(1.2 - 3.0 * count / canvas.size, 0.0, 1.0) * (s.free[:, 6:7] < 0.7)
    furrow = np.cos(np.float32(2 * np.pi) * phase) * visible[:, :, None]
    shade = 0.66 + 0.07 * lumps + 0.12 * furrow + canvas.rough * (0.02 + 0.08 * near)[:, :, None]
    return canvas.lit(s.soil, shade)


def woods(canvas: Canvas, near: Array) -> Layers:
    """Rows of trees, each before the last, taller and wider towards us."""
    s = canvas.scenes
    shade = 0.45 + 0.2 * canvas.rough
    glow = canvas.rough * 0.16 + canvas.relief * 0.1
    for j in range(7):
        place = (j / 7) ** 1.5
        tall = (0.035 + 0.2 * place) * (1.0 - s.horizon) * 1.8
        crowns = canvas.crowns(30.0 / (1.0 + 5.0 * place), j)
        foot = s.horizon + place * (1.0 - s.horizon) + 0.4 * tall
        depth = canvas.y[:, None] - (foot - tall * crowns)[:, None, :]
        color = 0.68 - depth * (0.75 / tall)[:, :, None] + glow
        shade += (np.maximum(color, np.float32(0.05)) - shade) * canvas.edge(depth)
    other = step(-0.6, 1.4, canvas.turf(near, {8: 1.0, 16: 1.0}))
    return canvas.lit(s.wood, shade, 1.0 - other) + canvas.lit(s.wood2, shade, other)


def mirror(canvas: Canvas, whole: Array, under: Array, near: Array) -> Array:
    """Turn the picture over into the lake, broken by waves; returns how much of the water is seen."""
    s = canvas.scenes
    depth = np.log1p(near * 14.0) / np.float32(2.75)
    waves = canvas.noise.plane(1, {16: 0.8, 32: 1.0, 64: 0.9}, depth, canvas.x * 0.25)
    rough = 0.15 + 0.85 * s.free[:, 7:8]
    place = (2.0 * s.horizon - canvas.y)[:, :, None] + waves * (rough * (0.006 + 0.04 * near))[:, :, None]
    place = np.abs(np.minimum(place, s.horizon[:, :, None] - 0.004))
    pixel = (place * canvas.size).astype(np.int64) * canvas.size + np.arange(canvas.size)
    for scene, (target, source) in enumerate(zip(under, whole, strict=True)):
        lake = canvas.y > s.horizon[scene]
        target[:, lake] = source.reshape(3, -1)[:, pixel[scene, lake]] * np.float32(0.92)
    seen = (0.22 + 0.5 * near * rough)[:, :, None] - waves * (0.12 * rough)[:, :, None]
    return np.clip(seen, 0.05, 0.85)


def lake(canvas: Canvas, near: Array) -> Layers:
    s = canvas.scenes
    return [(s.water * (s.ambient + 0.6 * s.direct) * 1.1, np.ones_like(canvas.rough))]


def snow(canvas: Canvas, near: Array) -> Layers:
    s = canvas.scenes
    drifts = canvas.turf(near, {4: 1.0, 8: 0.8, 16: 0.4}, 0.04) * canvas.side[:, :, None]
    shade = np.clip(0.66 + 0.24 * drifts + 0.03 * canvas.rough, 0.0, 1.1)
    low = s.ambient * np.asarray([0.72, 0.9, 1.12], np.float32)
    return [(low, np.ones_like(shade)), (canvas.sun * SNOW_WHITE * 0.85 - low, shade)]


def dunes(canvas: Canvas, near: Array) -> Layers:
    """Crests one before the other, a bright and a dark side each, with ripples."""
    s = canvas.scenes
    level = canvas.turf(near, {4: 1.0, 8: 0.5})
    ripple = np.sin(level * 4.0 + (near * 70.0)[:, :, None]) * near[:, :, None] * 0.04 + 0.03 * canvas.rough
    shade = 0.7 + 0.06 * level + ripple
    for j in range(3):
        place = (0.05 + 0.25 * j + 0.15 * canvas.tree_rows[:, j : j + 1]) * (1.0 - s.horizon)
        top = s.horizon + place - (0.3 * place + 0.01) * canvas.swell[:, j]
        slope = np.clip(np.gradient(top, axis=1) * (-2.2 * canvas.size * canvas.side), -1.0, 1.0)
        depth = np.maximum(canvas.y[:, None] - top[:, None, :], 0.0)
        fade = np.maximum(1.0 - depth / (0.04 + 0.7 * place)[:, :, None], 0.0)
        crest = 0.7 + ripple + 0.06 * level + slope[:, None, :] * fade * fade * 0.4
        shade += (crest - shade) * canvas.edge(canvas.y[:, None] - top[:, None, :])
    return canvas.lit(s.soil, shade)


def trees(canvas: Canvas, rgb: Array) -> None:
    """Two single trees before the land, crowns lit from the side of the sun."""
    s = canvas.scenes
    for number in range(2):
        center, size = s.free[:, 9 + number :][:, :1], 0.1 + 0.3 * s.free[:, 8 - number :][:, :1] ** 2
        foot = s.horizon + 0.02 + (1.0 - s.horizon) * 0.8 * (size - 0.08)
        dx = (canvas.x - center)[:, None, :] / size[:, :, None]
        up = ((foot - canvas.y) / size)[:, :, None]
        ragged = canvas.rough * 0.12
        cone = np.minimum(0.27 * (1.02 - up), (up - 0.06) * 3.0) * (1.0 + 1.6 * ragged) - np.abs(dx)
        crown = 0.36 - np.sqrt(dx * dx + (up - 0.62) ** 2) + ragged * 0.4
        trunk = np.minimum(np.minimum(0.035 - np.abs(dx), up), 0.6 - up)
        inside = np.maximum(mix(crown, cone, s.conifer[:, :, None]), trunk)
        mask = canvas.edge(inside * size[:, :, None])
        shade = 0.34 + 0.2 * canvas.rough - 0.6 * dx * canvas.side[:, :, None] + 0.25 * (up - 0.6)
        shade *= up > (0.22 - 0.3 * s.conifer)[:, :, None]
        lay(rgb, 1.0 - mask, canvas.lit(s.wood, shade, mask))
