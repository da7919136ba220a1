"""Arrays in, arrays out: what is no picture or no saturation is one sentence, and no wrong picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorize.data.pack import pack
from colorize.images import Pixels, write_photograph
from colorize.inference.colorizer import Colorizer
from colorize.networks import build_network
from colorize.targets import GrayscaleTarget
from colorize.weights.model import Model
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


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (64, 64, (32, 32)),
        (100, 50, (64, 32)),
        (100, 400, (32, 128)),
        (100, 1000, (13, 128)),
        (5000, 1, (128, 1)),
        (8, 12, (32, 48)),
    ],
)
def test_the_shorter_side_is_that_of_the_training_but_for_long_photographs(
    colorizer: Colorizer, height: int, width: int, size: tuple[int, int]
) -> None:
    assert colorizer.small_size(height, width) == size
    assert colorizer.shrink(np.zeros((height, width), np.uint8)).shape == (3, *size)


def test_a_photograph_is_seen_as_the_training_saw_its_own(colorizer: Colorizer, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (63, 63, 3), dtype=np.uint8)
    write_photograph(tmp_path / "x.png", pixels)
    trained = pack(tmp_path, [tmp_path / "x.png"], 32, tmp_path / "cache", workers=1).images[0]
    seen = (255 * colorizer.shrink(pixels)).permute(1, 2, 0).round().numpy()
    np.testing.assert_array_equal(seen, trained)


@pytest.mark.parametrize("side", [1, 40])
def test_a_batch_is_seen_as_its_photographs_are(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares of one pixel are a gray; those of 40 have edges, at which an interpolation may leave the range."""
    colorizer, seen = unsure(), list[Tensor]()
    predict = colorizer.predict_ab
    monkeypatch.setattr(colorizer, "predict_ab", lambda small, *more: (seen.append(small), predict(small, *more))[1])
    rows, columns = np.indices((160, 160)) // side
    board = ((rows + columns) % 2 * 255).astype(np.uint8)
    colorizer.colorize(torch.from_numpy(board)[None, None])
    assert 0 <= seen[0].min() <= seen[0].max() <= 1
    torch.testing.assert_close(seen[0][0], colorizer.shrink(board), atol=0.1, rtol=0)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_gray_is_rounded_to_the_nearest_value(dtype: type, white: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gray = unsure(GrayscaleTarget())
    monkeypatch.setattr(gray, "_gray_strip", lambda rgb: torch.full((1, 1, *rgb.shape[2:]), 200.8 / white))
    assert (gray.render(np.zeros((8, 9), dtype)) == 201).all()


def test_a_grayscaling_network_of_one_size_takes_batches_of_any() -> None:
    network = build_network({"name": "ConvNet", "image_size": 16}, 3, 1)
    fixed = Colorizer(Model(GrayscaleTarget(), network), {"image_size": 16}, device="cpu", precision="32")
    batch = torch.from_numpy(np.random.default_rng(0).integers(256, size=(2, 3, 40, 50), dtype=np.uint8))
    pictures = fixed.colorize(batch)
    assert isinstance(pictures, torch.Tensor)
    for pixels, picture in zip(batch.permute(0, 2, 3, 1).numpy(), pictures, strict=True):
        expected = torch.from_numpy(fixed.render(pixels) / np.float32(255)).expand(3, -1, -1)
        torch.testing.assert_close(picture, expected, rtol=0, atol=0.02)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("saturation", [1e30, 1e300, -1e300])
def test_no_saturation_is_too_strong_to_keep_the_gray(colorizer: Colorizer, saturation: float) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(40, 50), dtype=np.uint8)
    picture = Image.fromarray(colorizer.render(pixels, saturation=saturation))
    assert abs(np.asarray(picture.convert("L")).astype(int) - pixels).max() <= 1
