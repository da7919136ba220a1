"""What a painted scene shows: place, hour, weather, season and colours, drawn before a pixel is painted."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from colorize.scenery.noise import Array, Noise, mix, step

MEADOW, FIELD, WOODS, WATER, SNOW, DESERT = range(6)
_GROUND_WEIGHTS = (0.27, 0.10, 0.22, 0.24, 0.08, 0.09)


def _colors(*srgb: tuple[int, int, int]) -> Array:
    """(K, 3) linear light (gamma 2) of 8-bit colours."""
    return (np.asarray(srgb, np.float32) / 255.0) ** 2


# The sky and its light by the elevation of the sun: dusk, sunset, golden hour, day, noon.
_ELEVATION = (-0.15, 0.0, 0.15, 0.4, 1.0)
_ZENITH = _colors((34, 44, 88), (70, 94, 156), (82, 132, 198), (58, 120, 204), (44, 104, 196))
_MIDDLE = _colors((98, 90, 132), (212, 152, 134), (190, 198, 208), (122, 174, 230), (108, 164, 226))
_HORIZON = _colors((208, 134, 108), (252, 178, 100), (252, 224, 176), (208, 226, 240), (198, 220, 238))
_DIRECT = np.asarray([(0.05, 0.05, 0.09), (0.75, 0.38, 0.17), (1.0, 0.7, 0.4), (1.0, 0.92, 0.78), (1.0, 0.96, 0.87)])
_AMBIENT = np.asarray([(0.1, 0.12, 0.21), (0.24, 0.23, 0.31), (0.3, 0.34, 0.44), (0.33, 0.4, 0.5), (0.36, 0.42, 0.5)])

_GREENS = _colors((56, 84, 38), (78, 106, 44), (44, 72, 48), (92, 116, 50))
_AUTUMN = _colors((172, 104, 36), (150, 78, 34), (186, 138, 48), (128, 84, 44))
_ROCKS = _colors((124, 116, 108), (108, 106, 112), (134, 118, 100), (96, 98, 100))
_MESAS = _colors((178, 112, 76), (190, 136, 94), (164, 98, 70), (182, 144, 108))
_GRASSES = _colors((112, 142, 54), (134, 152, 66), (96, 130, 52), (156, 154, 82))
_CROPS = _colors((216, 186, 96), (222, 196, 52), (128, 158, 58), (150, 116, 82))
_SANDS = _colors((226, 186, 130), (214, 168, 112), (232, 204, 158), (206, 150, 98))
_WATERS = _colors((24, 62, 82), (20, 72, 84), (30, 54, 74), (36, 74, 70))
_FLOWERS = _colors((240, 214, 60), (226, 60, 50), (236, 232, 226), (170, 110, 200))
SNOW_WHITE = _colors((244, 246, 250))
DRY_GRASS = _colors((158, 152, 72))


def _by_elevation(elevation: Array, table: NDArray[np.floating]) -> Array:
    """(B, 3) row of a table of the day at `elevation` (B, 1)."""
    columns = [np.interp(elevation[:, 0], _ELEVATION, table[:, c]) for c in range(3)]
    return np.stack(columns, axis=1).astype(np.float32)


_HERE, _ROCKY, _GRASSY, _LIFT, _SWING = np.asarray(
    [
        (0.65, 0.9, 0.7, 0.8),
        (0.75, 0.5, 0.1, 0.0),
        (0.2, 0.3, 0.35, 0.2),
        (0.13, 0.08, 0.045, 0.02),
        (0.055, 0.042, 0.028, 0.016),
    ],
    np.float32,
)


@dataclass(frozen=True)
class Scenes:
    """What is drawn once for each scene: (B, 1) numbers, (B, 3) colours; places in picture sides."""

    ground: NDArray[np.int64]
    horizon: Array
    elevation: Array  # of the sun: -0.15 dusk, 0 sunset, 1 noon
    sun_x: Array
    sun_y: Array
    facing: Array  # 1: the sun stands before the camera
    cover: Array  # of the clouds: 0 clear, 1 overcast
    gray: Array  # 1: no sun comes through
    haze: Array
    winter: Array
    conifer: Array
    zenith: Array
    middle: Array
    skirt: Array  # the colour of the sky at the horizon, and of the haze
    direct: Array
    ambient: Array
    wood: Array
    wood2: Array
    rock: Array
    grass: Array
    soil: Array  # sand or crops
    water: Array
    flower: Array
    here: Array  # (B, 4), as all of the ridges, far to near: 1 where there is one
    rocky: Array
    grassy: Array
    snowy: Array
    lift: Array  # how far the middle of the skyline stands above the horizon
    swing: Array  # how far the skyline goes up and down
    trees: Array  # 1: single trees stand before the land
    free: Array  # (B, 12) in [0, 1): the small choices of each painter

    def take(self, rows: NDArray[np.int64]) -> "Scenes":
        return Scenes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def draw_scenes(noise: Noise) -> Scenes:
    """Draw the scenes of `noise`; colours are linear light."""

    def pick(palette: Array) -> Array:
        """A colour between two neighbours of the palette, a little brighter or darker."""
        place = noise.uniform(0.0, len(palette) - 1.001)
        low = place.astype(np.int64)[:, 0]
        between = place - low[:, None].astype(np.float32)
        return mix(palette[low], palette[low + 1], between) * noise.uniform(0.85, 1.15)

    ground = noise.choice(_GROUND_WEIGHTS)
    hour = noise.choice((0.67, 0.15, 0.12, 0.06))
    low, high = np.asarray([(0.4, 1.0), (0.1, 0.4), (0.0, 0.1), (-0.15, -0.03)], np.float32)[hour[:, 0]].T
    elevation = mix(low[:, None], high[:, None], noise.uniform())
    facing = noise.chance(0.55)
    weather = noise.choice((0.36, 0.5, 0.14))
    low, high = np.asarray([(0.0, 0.12), (0.25, 0.62), (0.9, 1.0)], np.float32)[weather[:, 0]].T
    cover = mix(low[:, None], high[:, None], noise.uniform())
    gray = step(0.6, 0.95, cover)
    horizon = noise.uniform(0.4, 0.7)
    side = np.where(noise.chance(0.5) > 0, np.float32(1.7), np.float32(-0.7))
    direct, ambient = _by_elevation(elevation, _DIRECT), _by_elevation(elevation, _AMBIENT)
    zenith, middle, skirt = (_by_elevation(elevation, t) for t in (_ZENITH, _MIDDLE, _HORIZON))
    away = (1.0 - facing) * (1.0 - step(0.1, 0.4, elevation)) * 0.55
    skirt = mix(skirt, mix(middle, zenith, 0.4), away)
    middle = mix(middle, zenith, away)
    overcast = np.mean(mix(middle, skirt, 0.5), axis=1, keepdims=True) * noise.uniform(0.8, 1.1)
    veil = overcast * np.asarray([0.94, 1.0, 1.08], np.float32)
    zenith = mix(zenith * noise.uniform(0.93, 1.07, columns=3), veil * 0.75, gray)
    middle, skirt = mix(middle, veil, gray), mix(skirt, veil * 1.1, gray)
    arid = (ground == DESERT).astype(np.float32)
    winter = (ground == SNOW).astype(np.float32)
    autumn = noise.chance(0.24) * noise.uniform(0.45, 1.0) * (1.0 - winter)
    here = (noise.uniform(columns=4) < _HERE) * (1.0 - (ground == WATER) * noise.chance(0.25))
    here[:, 2:] *= 1.0 - arid
    rocky = np.maximum(noise.uniform(columns=4) < _ROCKY, arid)
    tall = noise.uniform(0.5, 1.6, columns=4)
    wood, wood2 = (mix(pick(_GREENS), pick(_AUTUMN), autumn) for _ in range(2))
    vivid = noise.uniform(0.6, 0.95)

    def dull(color: Array) -> Array:
        return mix(np.mean(color, axis=1, keepdims=True), color, vivid)

    return Scenes(
        ground=ground,
        horizon=horizon,
        elevation=elevation,
        sun_x=mix(side, noise.uniform(0.1, 0.9), facing),
        sun_y=horizon * (1.0 - 1.7 * elevation),
        facing=facing,
        cover=cover,
        gray=gray,
        haze=noise.uniform(0.25, 1.0),
        winter=winter,
        conifer=noise.chance(0.5) * (autumn == 0),
        zenith=dull(zenith),
        middle=dull(middle),
        skirt=dull(skirt),
        direct=direct * (1.0 - 0.8 * gray),
        ambient=mix(ambient, np.mean(ambient, axis=1, keepdims=True) * 1.35, gray),
        wood=dull(wood),
        wood2=dull(wood2),
        rock=dull(mix(pick(_ROCKS), pick(_MESAS), arid)),
        grass=dull(mix(pick(_GRASSES), pick(_AUTUMN[2:]), autumn * 0.4)),
        soil=dull(mix(pick(_CROPS), pick(_SANDS), arid)),
        water=pick(_WATERS),
        flower=pick(_FLOWERS),
        here=here,
        rocky=rocky,
        grassy=(noise.uniform(columns=4) < _GRASSY) * (1.0 - rocky),
        snowy=np.maximum(noise.chance(0.45) * (1.0 - arid) * (gray < 0.5), winter) * rocky,
        lift=tall * _LIFT,
        swing=tall * (0.6 + 0.7 * rocky) * _SWING,
        trees=noise.chance(0.35) * (ground != WOODS) * (ground != DESERT) * (ground != WATER),
        free=noise.uniform(columns=12),
    )
