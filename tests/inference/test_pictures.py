"""Pictures of all kinds: PIL images, arrays and tensors give what their file gives, or one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.images import read_photograph
from colorize.inference.pictures import as_photograph, batch_as_float
from tests.images.test_profiles import cmyk_profile


def test_a_cmyk_image_goes_by_its_profile_as_its_file_does(tmp_path: Path) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    cyan.save(tmp_path / "x.tif", icc_profile=cmyk_profile())
    with Image.open(tmp_path / "x.tif") as image:
        photograph = as_photograph(image, None)
    assert photograph.pixels.max() < 10  # this profile calls it black
    assert photograph.icc_profile is None
    np.testing.assert_array_equal(photograph.pixels, read_photograph(tmp_path / "x.tif").pixels)


@pytest.mark.parametrize(("mode", "premultiplied"), [("LA", "La"), ("RGBA", "RGBa")])
def test_a_premultiplied_image_is_divided(mode: str, premultiplied: str) -> None:
    image = Image.new(mode, (4, 3), (200, 128) if mode == "LA" else (200, 100, 50, 128))
    plain, photograph = as_photograph(image, None), as_photograph(image.convert(premultiplied), None)
    np.testing.assert_allclose(photograph.pixels.astype(int), plain.pixels, atol=2)
    assert photograph.alpha is not None
    assert (photograph.alpha == 128).all()


def test_a_tensor_of_bfloat16_is_one_of_floats() -> None:
    pixels = as_photograph(torch.full((1, 3, 4), 0.5, dtype=torch.bfloat16), None).pixels
    assert pixels.shape == (3, 4)
    assert (pixels == 32768).all()


@pytest.mark.parametrize(("value", "words"), [(2.0, "from 2 to 2"), (-0.5, "from -0.5 to"), (float("nan"), "from nan")])
def test_a_batch_outside_of_its_range_is_told_what_it_is(value: float, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^Floats must be in \[0, 1\], but go {words}"):
        batch_as_float(torch.full((1, 3, 4, 4), value))
    with pytest.raises(ValueError, match=r"must be uint8 or float in \[0, 1\], but is torch.int32"):
        batch_as_float(torch.ones(1, 3, 4, 4, dtype=torch.int32))
