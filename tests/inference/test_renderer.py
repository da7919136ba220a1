"""Arrays in, arrays out: what is no picture or no saturation is one sentence, and no wrong picture."""

import numpy as np
import pytest
import torch

from colorize.images import Pixels
from colorize.inference.colorizer import Colorizer
from tests.inference.unsure import unsure


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return unsure()


@pytest.mark.parametrize("saturation", [float("nan"), float("inf")])
def test_a_saturation_that_is_no_number_is_refused(colorizer: Colorizer, saturation: float) -> None:
    words = "saturation is .*, but must be a finite number"
    with pytest.raises(ValueError, match=words):
        colorizer.colorize(np.full((8, 8), 90, np.uint8), saturation=saturation)
    with pytest.raises(ValueError, match=words):
        colorizer.colorize(torch.full((1, 1, 8, 8), 0.3), saturation=saturation)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8), np.int64),
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8), np.uint8),
        np.zeros(8, np.uint8),
    ],
    ids=lambda pixels: f"{pixels.dtype} {pixels.shape}",
)
def test_pixels_of_another_kind_are_refused(colorizer: Colorizer, pixels: Pixels) -> None:
    with pytest.raises(ValueError, match=r"^Pixels must be uint8 or uint16, \(H, W\) or \(H, W, 3\), but are "):
        colorizer.render(pixels)
