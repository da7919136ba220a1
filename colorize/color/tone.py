"""Whether a photograph has real colours, or is gray or toned: sepia, cyanotype, selenium, a yellowed scan."""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import full_precision, rgb_to_lab

KNOTS = 17  # of the curve, over L
TONED_SHARE = 0.75  # of a toned picture lies on the curve, at least
TONE_PLAY = 0.1  # how much of the chroma of the tone is forgiven
THRESHOLD = 1.2  # Lab units


@full_precision
def is_colored(rgb: Tensor) -> bool:
    """Whether a small picture has colours of its own.

    In a toned picture ab is a function of L: one piecewise linear curve, fitted to all pixels. What is left of ab is
    averaged over a tenth of the shorter side, which takes off grain and the noise of JPEG; along the hue of the tone
    a tenth of its chroma is forgiven, as a tone fades unevenly. Colours remain where a quarter of the picture lies
    further than `THRESHOLD` Lab units from the curve. So a picture of one colour, and one whose only colours fill less
    than a quarter of it, count as toned.

    Args:
        rgb: float (3, h, w) in [0, 1]; 128 for the shorter side is enough.

    Raises:
        ValueError: wrong dtype or shape.
    """
    lab = rgb_to_lab(rgb[None])
    luminance, ab = lab[:, :1], lab[:, 1:]
    tone = _tone(luminance, ab)
    side = min(rgb.shape[1:]) // 10 | 1  # odd
    rest, tone = F.avg_pool2d(ab - tone, side, stride=1), F.avg_pool2d(tone, side, stride=1)
    chroma = tone.norm(dim=1)
    (a, b), (tone_a, tone_b) = rest.unbind(1), (tone / (chroma[:, None] + 1e-6)).unbind(1)
    along = ((a * tone_a + b * tone_b).abs() - TONE_PLAY * chroma).clamp(min=0)
    across = a * tone_b - b * tone_a
    distance = torch.hypot(along, across)
    return bool((distance > THRESHOLD).float().mean() > 1 - TONED_SHARE)


def _tone(luminance: Tensor, ab: Tensor) -> Tensor:
    """The curve ab = f(L), linear between `KNOTS` values of L, by least squares: (1, 2, h, w).

    Where few pixels have such an L it keeps to the mean, as if each knot had one pixel more, of that.
    """
    knots = torch.linspace(0, 100, KNOTS, device=ab.device)
    hats = (1 - (luminance.reshape(-1, 1) - knots).abs() * (KNOTS - 1) / 100).clamp(min=0)
    points = ab[0].flatten(1).T
    mean = points.mean(0)
    at_knots = torch.linalg.solve(hats.T @ hats + torch.eye(KNOTS, device=ab.device), hats.T @ (points - mean))
    tone: Tensor = (mean + hats @ at_knots).T.reshape_as(ab)
    return tone
