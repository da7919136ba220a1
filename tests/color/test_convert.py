from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.color
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from colorize.color import AB_SCALE, full_precision, lab_to_rgb, luminance, rgb_to_gray, rgb_to_lab, to_float
from colorize.color.chroma import ab_to_chroma, add_chroma
from colorize.color.upsample import Upsampler, guide


@pytest.fixture(params=["float32", "float64", "uint8"])
def rgb(request: pytest.FixtureRequest) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    if request.param == "uint8":
        return to_float(torch.randint(256, (2, 3, 17, 23), generator=generator, dtype=torch.uint8))
    return torch.rand(2, 3, 17, 23, generator=generator, dtype=getattr(torch, request.param))


def every_fifth_color() -> Tensor:
    """The RGB cube in steps of 5, its corners included: uint8 (1, 3, 52, 2704)."""
    steps = torch.arange(0, 256, 5, dtype=torch.uint8)
    return torch.cartesian_prod(steps, steps, steps).T.reshape(1, 3, 52, -1)


def test_lab_equals_that_of_skimage(rgb: Tensor) -> None:
    lab = rgb_to_lab(rgb)
    reference = skimage.color.rgb2lab(rgb.double().numpy(), channel_axis=1)
    assert lab.dtype == torch.float32
    np.testing.assert_allclose(lab.numpy(), reference, atol=1e-3)


def test_luminance_is_the_l_of_lab() -> None:
    rgb = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    expected = skimage.color.rgb2lab(rgb.permute(0, 2, 3, 1).numpy())[..., 0]
    np.testing.assert_allclose(luminance(rgb)[:, 0].numpy(), expected, atol=1e-3)
    gray = torch.linspace(0, 1, 65536).view(1, 1, 1, -1)
    torch.testing.assert_close(luminance(gray), rgb_to_lab(gray.expand(-1, 3, -1, -1))[:, :1], atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match=r"shape \(B, 3, H, W\)"):
        luminance(torch.rand(1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"shape \(B, 3, H, W\)"):
        luminance(torch.rand(4))


def test_rgb_equals_that_of_skimage(rgb: Tensor) -> None:
    lab = rgb_to_lab(rgb)
    reference = skimage.color.lab2rgb(lab.double().numpy(), channel_axis=1)
    np.testing.assert_allclose(lab_to_rgb(lab).numpy(), reference, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_lab_beyond_srgb_becomes_the_rgb_of_skimage() -> None:
    lab = torch.rand(1, 3, 60, 60, generator=torch.Generator().manual_seed(0)) * 220 - 110
    lab[:, 0] = lab[:, 0].abs() / 1.1
    reference = skimage.color.lab2rgb(lab.double().numpy(), channel_axis=1)
    np.testing.assert_allclose(lab_to_rgb(lab).numpy(), reference, atol=1e-4)


@pytest.mark.parametrize("convert", [rgb_to_gray, rgb_to_lab, luminance, lab_to_rgb])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_conversions_compute_in_float32(convert: Callable[[Tensor], Tensor], dtype: torch.dtype) -> None:
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    torch.testing.assert_close(convert(images), convert(images.float()), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("convert", "colors"),
    [
        (rgb_to_lab, [[0, 0, 0], [1, 1, 1], [0, 0, 1]]),
        (luminance, [[0, 0, 0], [1, 1, 1], [0, 0, 1]]),
        (lambda lab: lab_to_rgb(lab, clip=False), [[0, 0, 0], [0, -100, 100], [50, 100, -100], [100, 0, 0]]),
    ],
    ids=["lab", "luminance", "rgb"],
)
def test_gradients_are_finite_at_black_and_beyond_srgb(
    convert: Callable[[Tensor], Tensor], colors: list[list[float]]
) -> None:
    images = torch.tensor(colors).float().T[None, :, None].clone().requires_grad_()
    convert(images).sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()


def test_lab_and_back_is_the_identity(rgb: Tensor) -> None:
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb.float(), atol=2e-5, rtol=0)


def test_lab_and_back_gives_each_8_bit_color_again() -> None:
    colors = every_fifth_color()
    back = lab_to_rgb(rgb_to_lab(to_float(colors)))
    assert torch.equal((back * 255).round().to(torch.uint8), colors)


def test_autocast_changes_nothing(rgb: Tensor) -> None:
    lab, gray = rgb_to_lab(rgb), rgb_to_gray(rgb)
    back = lab_to_rgb(lab)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (torch.eye(3) @ torch.eye(3)).dtype == torch.bfloat16  # there is something to guard against
        assert torch.equal(rgb_to_lab(rgb), lab)
        assert torch.equal(lab_to_rgb(lab), back)
        assert torch.equal(rgb_to_gray(rgb), gray)


def test_full_precision_casts_floats_alone() -> None:
    @full_precision
    def dtypes(*args: Tensor, last: Tensor) -> list[torch.dtype]:
        return [value.dtype for value in (*args, last)]

    got = dtypes(torch.zeros(1, dtype=torch.uint8), torch.zeros(1).double(), last=torch.zeros(1).bfloat16())
    assert got == [torch.uint8, torch.float32, torch.float32]
    assert dtypes(last=torch.zeros(1).double()) == [torch.float32]


class _Operations(TorchDispatchMode):
    """The names of all tensor operations inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(function))
        return function(*args, **(kwargs or {}))


def _enlarge(rgb: Tensor) -> Tensor:
    gray = rgb_to_gray(rgb)
    coefficients = guide(gray, ab_to_chroma(gray, rgb_to_lab(rgb)[:, 1:]))
    return torch.cat(add_chroma(gray, Upsampler(coefficients, *gray.shape[2:])(gray)), dim=1)


@pytest.mark.parametrize("convert", [rgb_to_gray, rgb_to_lab, luminance, lab_to_rgb, _enlarge])
def test_conversions_have_no_operation_that_tf32_would_round(convert: Callable[[Tensor], Tensor]) -> None:
    with _Operations() as operations:
        convert(torch.rand(2, 3, 8, 8))
    assert operations.names
    rounded = [name for name in operations.names if any(word in name for word in ("conv", "mm", "einsum", "addmv"))]
    assert not rounded


def test_gray_equals_that_of_opencv(rgb: Tensor) -> None:
    gray = rgb_to_gray(rgb)
    pictures = rgb.float().permute(0, 2, 3, 1).numpy()
    reference = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures])[:, None]
    assert gray.dtype == torch.float32
    np.testing.assert_allclose(gray.numpy(), reference, atol=1e-6)


def test_to_float_leaves_float_images_as_they_are() -> None:
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(to_float(images), images)
    assert to_float(images.double()).dtype == torch.float32


def test_to_float_divides_by_255() -> None:
    rgb = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1)
    assert torch.equal(to_float(rgb), torch.tensor([0, 0.2, 1]).reshape(1, 3, 1, 1))


def test_ranges_of_lab() -> None:
    lab = rgb_to_lab(to_float(every_fifth_color()))
    assert lab[:, 0].min() > -1e-4
    assert lab[:, 0].max() < 100 + 1e-4
    assert 0.95 < lab[:, 1:].abs().max() / AB_SCALE < 1


def test_gray_has_no_chroma() -> None:
    gray = to_float(torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)).expand(-1, 3, -1, -1)
    assert rgb_to_lab(gray)[:, 1:].abs().max() < 0.005


@given(st.floats(0, 100), st.floats(-200, 200), st.floats(-200, 200))
def test_every_lab_becomes_a_color(luminance: float, a: float, b: float) -> None:
    rgb = lab_to_rgb(torch.tensor([luminance, a, b]).reshape(1, 3, 1, 1))
    assert ((rgb >= 0) & (rgb <= 1)).all()


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, rgb_to_gray])
@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
        torch.zeros(1, 1, 4, 4),
        torch.zeros(1, 4, 4, 3),
        torch.zeros(3, 4, 4),
        torch.zeros(4, 3, 4),
    ],
    ids=["uint8", "gray", "channels last", "no batch", "rows of channels"],
)
def test_wrong_images_are_refused(convert: object, images: Tensor) -> None:
    assert callable(convert)
    with pytest.raises(ValueError, match=r"must be a float tensor of shape \(B, 3, H, W\), but is"):
        convert(images)


@pytest.mark.parametrize(
    "images", [torch.zeros(1, 3, 4, 4, dtype=torch.int32), torch.zeros(3, 4, 4, dtype=torch.uint8)]
)
def test_to_float_refuses_what_is_no_batch_of_images(images: Tensor) -> None:
    with pytest.raises(ValueError, match="must be a uint8 or float tensor"):
        to_float(images)
