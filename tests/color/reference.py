"""Colour measures in NumPy, as their papers define them."""

import numpy as np
import numpy.typing as npt


def colorfulness_reference(rgb: npt.NDArray[np.float64]) -> float:
    """Of one picture (3, H, W) in [0, 1]: Hasler and Süsstrunk 2003."""
    red, green, blue = 255 * rgb
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
