"""How the pixels of one small gray picture lie in another of the same scene, and how far that can be trusted.

Optical flow is OpenCV's DIS (Kroeger, Timofte, Dai, Van Gool 2016, "Fast Optical Flow using Dense Inverse Search"). Its
results depend on the number of OpenCV's threads, and on nothing else.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Gray = npt.NDArray[np.uint8]

LEAST_SIDE = 32
"""Smaller pictures are enlarged for DIS, which needs a few patches of 8 pixels."""
NOISE, MOST_NOISE = 2.5, 8.0
"""The standard deviation, of 255, of a difference that motion does not explain, and the most that grain makes it."""

LEAST_CONTRAST = 6.0
"""The standard deviation, of 255, below which a picture is flat and has no structure to lose."""


@dataclass(frozen=True)
class Link:
    """Two pictures of one scene, an earlier and a later one.

    Attributes:
        back: for each pixel of the later one where in the earlier one it was, relative, in pixels: (h, w, 2), x first.
        ahead: the same of the earlier one's pixels in the later one.
        trust_back, trust_ahead: how far that holds, (h, w) in [0, 1]: 0 where a pixel is not seen in the other.
    """

    back: Floats
    ahead: Floats
    trust_back: Floats
    trust_ahead: Floats

    @property
    def match(self) -> float:
        """The share of the pictures that is seen in both, in [0, 1]."""
        return float(self.trust_back.mean() + self.trust_ahead.mean()) / 2


def link(earlier: Gray, later: Gray) -> Link:
    """The motion between two gray pictures (h, w)."""
    ahead, back = _flow(earlier, later), _flow(later, earlier)
    return Link(back, ahead, _trust(later, earlier, back, ahead), _trust(earlier, later, ahead, back))


def warp(values: Floats, flow: Floats) -> Floats:
    """Values (h, w) or (h, w, C) of the one picture at the pixels of the other; beyond the border its last values."""
    x, y = _destinations(flow)
    warped: Floats = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped


def _flow(source: Gray, destination: Gray) -> Floats:
    """For each pixel of `source` where it is in `destination`, relative: (h, w, 2)."""
    height, width = source.shape
    source, destination = np.ascontiguousarray(source), np.ascontiguousarray(destination)
    scale = -(-LEAST_SIDE // min(height, width))
    if scale > 1:
        source, destination = (np.kron(gray, np.ones((scale, scale), np.uint8)) for gray in (source, destination))
    flow: Floats = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(source, destination, None)
    if scale > 1:
        flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / np.float32(scale)
    return flow


def _trust(here: Gray, there: Gray, flow: Floats, reverse: Floats) -> Floats:
    """How far `flow`, from `here` to `there`, holds: the gray is the same, and `reverse` leads back."""
    height, width = here.shape
    x, y = _destinations(flow)
    inside = ((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)).astype(np.float32)
    returned = warp(reverse, flow)
    gap = np.square(flow + returned).sum(axis=2)
    size = np.square(flow).sum(axis=2) + np.square(returned).sum(axis=2)
    # The bound of Sundaram, Brox and Keutzer 2010, which Lai et al. 2018 take too, as a soft one.
    consistent = np.exp(-gap / (0.01 * size + 0.5))
    difference, structure = _compare(here.astype(np.float32), warp(there.astype(np.float32), flow), consistent * inside)
    noise = float(np.clip(1.5 * np.median(np.abs(difference)), NOISE, MOST_NOISE))
    variance = np.float32(noise * noise)
    error = np.maximum(cv2.blur(np.square(difference), (3, 3), borderType=cv2.BORDER_REPLICATE) - variance, 0)
    trust: Floats = (structure * inside * consistent * np.exp(error / (-4 * variance))).astype(np.float32)
    return trust


def _compare(here: Floats, there: Floats, weights: Floats) -> tuple[Floats, float]:
    """`here` less `there` brought to its brightness and contrast, as fades and flashes need it.

    And the structure term of SSIM (Wang, Bovik, Sheikh, Simoncelli 2004) of the whole: 1 is the same but for brightness
    and contrast, 0 has nothing in common.
    """
    total = float(weights.sum()) + 1e-6
    here = here - float((here * weights).sum()) / total
    there = there - float((there * weights).sum()) / total
    moments = (np.square(here), np.square(there), here * there)
    variance_here, variance_there, covariance = (float((values * weights).sum()) / total for values in moments)
    flat = LEAST_CONTRAST**2
    structure = (covariance + flat) / ((variance_here + flat) * (variance_there + flat)) ** 0.5
    slope = np.float32(np.clip(covariance / (variance_there + 1), 0.5, 2))
    return here - slope * there, max(structure, 0.0)


def _destinations(flow: Floats) -> tuple[Floats, Floats]:
    """The column and the row to which each pixel goes, (h, w) each."""
    x, y = _grid(*flow.shape[:2])
    return flow[..., 0] + x, flow[..., 1] + y


@lru_cache(4)
def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """The columns (1, w) and rows (h, 1)."""
    return np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
