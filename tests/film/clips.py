"""Short films whose motion is known: a camera over painted scenes, and things that move before it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from colorize.scenery import render_scenes

Floats = npt.NDArray[np.float32]
Pose = Callable[[int], npt.NDArray[np.float64]]
"""Of a frame's number: the affine map (3, 3) from a layer's pixels to the frame's."""


@dataclass(frozen=True)
class Clip:
    """T frames.

    Attributes:
        rgb: true colours, float32 (T, H, W, 3) in [0, 1].
        luma: what a black-and-white film shows of them: Rec.601 gray and grain, float32 (T, H, W) in [0, 1].
        flows: of each frame but the last where its pixels are in the next, relative: (T - 1, H, W, 2), x first.
        seen: which of them are seen there: bool (T - 1, H, W).
    """

    rgb: Floats
    luma: Floats
    flows: Floats
    seen: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Layer:
    """A picture, float32 (h, w, 3) in [0, 1], what of it is there, (h, w) in [0, 1], and where it is in each frame."""

    rgb: Floats
    opaque: Floats
    pose: Pose


def affine(scale: float = 1.0, x: float = 0.0, y: float = 0.0, turn: float = 0.0) -> npt.NDArray[np.float64]:
    """Scaled and turned (radians) about the origin, then moved by x, y pixels."""
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1.0]])


def film(layers: list[Layer], count: int, height: int, width: int, grain: float = 0.0, seed: int = 0) -> Clip:
    """Frames of layers, the first one behind all others.

    Args:
        grain: standard deviation of the luma's, of 255.
        seed: of the grain.
    """
    frames = [_render(layers, number, height, width) for number in range(count)]
    rgb = np.stack([picture for picture, _ in frames])
    tops = [top for _, top in frames]
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    noise = np.random.default_rng(seed).normal(0, grain / 255, luma.shape).astype(np.float32)
    motion = [_flow(layers, tops[number], tops[number + 1], number) for number in range(count - 1)]
    flows = np.array([flow for flow, _ in motion], np.float32).reshape(-1, height, width, 2)
    seen = np.array([where for _, where in motion], bool).reshape(-1, height, width)
    return Clip(rgb, (luma + noise).clip(0, 1), flows, seen)


def _render(layers: list[Layer], number: int, height: int, width: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """A frame, and the layer that each pixel shows; -1 where it shows several. Two samples a pixel and side."""
    rgb = np.zeros((2 * height, 2 * width, 3), np.float32)
    top = np.zeros((2 * height, 2 * width), np.int64)
    double = np.array([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])  # pixel centres are at integers
    for place, layer in enumerate(layers):
        matrix = (double @ layer.pose(number))[:2]
        size = (2 * width, 2 * height)
        picture = cv2.warpAffine(layer.rgb, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        border = cv2.BORDER_CONSTANT if place else cv2.BORDER_REPLICATE
        opaque = cv2.warpAffine(layer.opaque, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        rgb += opaque[..., None] * (picture - rgb)
        top[opaque > 0] = -1
        top[opaque > 0.99] = place
    quads = top.reshape(height, 2, width, 2).transpose(0, 2, 1, 3).reshape(height, width, 4)
    top = np.where((quads == quads[..., :1]).all(axis=2), quads[..., 0], -1)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), top


def _flow(
    layers: list[Layer], top: npt.NDArray[np.int64], next_top: npt.NDArray[np.int64], number: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    height, width = top.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    flow = np.zeros((height, width, 2), np.float32)
    seen = np.zeros((height, width), bool)
    for place, layer in enumerate(layers):
        matrix = layer.pose(number + 1) @ np.linalg.inv(layer.pose(number))
        there_x, there_y = (row[0] * x + row[1] * y + row[2] for row in matrix[:2])
        mine = top == place
        flow[mine] = np.stack([there_x - x, there_y - y], axis=2)[mine]
        inside = (there_x >= 0) & (there_x <= width - 1) & (there_y >= 0) & (there_y <= height - 1)
        left, above = (np.clip(np.floor(v), 0, n - 2).astype(int) for v, n in ((there_x, width), (there_y, height)))
        same = np.all([next_top[above + dy, left + dx] == place for dy in (0, 1) for dx in (0, 1)], axis=0)
        seen |= mine & inside & same
    return flow, seen


def disc(size: int) -> Floats:
    """What is there of a round thing: 1 inside, 0 outside, (size, size)."""
    y, x = np.mgrid[:size, :size].astype(np.float32) - (size - 1) / 2
    return np.clip(size / 2 - 1 - np.hypot(x, y), 0, 1).astype(np.float32)


def painted_clip(number: int, count: int = 36, height: int = 360, width: int = 640, grain: float = 3.0) -> Clip:
    """A camera over a painted scene, with two round pieces of others before it.

    It pans, zooms in or out, or does both by turns, all of them at a speed of their own.
    """
    random = np.random.default_rng(number)
    size = round(1.6 * width)
    scenes = render_scenes([3 * number, 3 * number + 1, 3 * number + 2], size, seed=7).astype(np.float32) / 255
    speed = random.uniform(1.5, 5) * random.choice([-1, 1])
    zoom = random.uniform(0.002, 0.006) * random.choice([-1, 1]) * (number % 3 > 0)
    pan = speed * (number % 3 < 2)
    middle = np.array([size / 2, size * 0.55])

    def camera(t: int) -> npt.NDArray[np.float64]:
        scale = 0.85 * (1 + zoom) ** (t - count / 2)
        x, y = np.array([width / 2, height / 2]) - scale * middle
        return affine(scale, x + pan * (t - count / 2), y + 0.3 * random_wave[t % 64])

    random_wave = np.cumsum(random.normal(0, 1, 64))  # a hand-held camera
    layers = [Layer(scenes[0], np.ones((size, size), np.float32), camera)]
    for scene in scenes[1:]:
        side = round(random.uniform(0.25, 0.45) * height)
        top, left = random.integers(size // 2, size - side), random.integers(0, size - side)
        x, y = random.uniform(0, width - side), random.uniform(0.3, 0.7) * (height - side)
        dx, dy, turn = *random.normal(0, 3, 2) * (1, 0.3), random.normal(0, 0.004)
        piece = np.ascontiguousarray(scene[top : top + side, left : left + side])

        def pose(t: int, at: tuple[float, ...] = (x, y, dx, dy, turn)) -> npt.NDArray[np.float64]:
            return affine(1, at[0] + at[2] * t, at[1] + at[3] * t, at[4] * t)

        layers.append(Layer(piece, disc(side), pose))
    return film(layers, count, height, width, grain, seed=number)
