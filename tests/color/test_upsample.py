import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from colorize.color import upsample
from colorize.color.upsample import Upsampler, guide


def random_planes(height: int, width: int, seed: int = 0) -> Tensor:
    """Gray in [0, 1] and chroma in [-0.5, 0.5]: (1, 3, height, width)."""
    planes = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return planes - torch.tensor([0, 0.5, 0.5]).reshape(1, 3, 1, 1)


def disc(gray: tuple[float, float]) -> Tensor:
    """A red disc on green, gray and chroma (1, 3, 256, 256); `gray` of the disc and of the ground."""
    y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    inside = (y - 120) ** 2 + (x - 135) ** 2 < 70**2
    on, off = torch.tensor([gray[0], 0.2, -0.1]), torch.tensor([gray[1], -0.15, -0.2])
    return torch.where(inside, on.reshape(1, 3, 1, 1), off.reshape(1, 3, 1, 1))


def shrink(planes: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(planes, factor)


def upsampled(small: Tensor, gray: Tensor) -> Tensor:
    return Upsampler(guide(small[:, :1], small[:, 1:]), *gray.shape[2:])(gray)


def bilinear(small: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(small[:, 1:], size, mode="bilinear")


def error(planes: Tensor, chroma: Tensor) -> float:
    return (planes[:, 1:] - chroma).norm(dim=1).mean().item()


@pytest.mark.parametrize("factor", [4, 8])
def test_less_bleeds_over_an_edge_than_bilinear(factor: int) -> None:
    planes = disc((0.35, 0.75))
    small = shrink(planes, factor)
    assert error(planes, upsampled(small, planes[:, :1])) < 0.7 * error(planes, bilinear(small, (256, 256)))


def test_where_gray_shows_no_edge_it_is_bilinear() -> None:
    planes = disc((0.5, 0.5))
    small = shrink(planes, 8)
    torch.testing.assert_close(upsampled(small, planes[:, :1]), bilinear(small, (256, 256)), atol=1e-5, rtol=0)


def test_equal_sizes_give_the_chroma_itself() -> None:
    planes = random_planes(40, 60)
    torch.testing.assert_close(upsampled(planes, planes[:, :1]), planes[:, 1:], atol=1e-5, rtol=0)


def test_the_coefficients_are_those_of_their_definition() -> None:
    """Slope and R² of weighted least squares in the 3 x 3 pixels around each, in NumPy."""
    planes = random_planes(5, 6)
    gray, *chroma = np.pad(planes[0].double().numpy(), ((0, 0), (1, 1), (1, 1)), mode="edge")
    weights = np.outer([1, 2, 1], [1, 2, 1]).ravel() / 16
    slopes, least, greatest = np.zeros((3, 2, 5, 6))
    for row, column in np.ndindex(5, 6):
        x, *ys = (plane[row : row + 3, column : column + 3].ravel() for plane in (gray, *chroma))
        variance, *of_chroma = (np.average((z - weights @ z) ** 2, weights=weights) for z in (x, *ys))
        both = np.array([weights @ ((x - weights @ x) * (y - weights @ y)) for y in ys])
        explained = (both**2).sum() / (variance * sum(of_chroma))
        slopes[:, row, column] = both / (variance + 0.005) * explained
        least[:, row, column], greatest[:, row, column] = np.min(ys, axis=1), np.max(ys, axis=1)
    padded = np.pad(slopes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    slope = np.tensordot(sliding_window_view(padded, (3, 3), (1, 2)).reshape(2, 5, 6, 9), weights, 1)
    offset = planes[0, 1:].numpy() - slope * planes[0, :1].numpy()
    expected = np.concatenate([slope, offset, least, greatest])
    np.testing.assert_allclose(guide(planes[:, :1], planes[:, 1:])[0], expected, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.03, 0.08])
def test_grain_stays_out_of_smooth_colors(sigma: float) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 512), torch.linspace(0, 1, 512), indexing="ij")
    planes = torch.stack([0.45 + 0.3 * y, 0.3 * torch.sin(3 * x), 0.4 * y - 0.3])[None]
    grainy = planes[:, :1] + sigma * torch.randn(1, 1, 512, 512, generator=torch.Generator().manual_seed(0))
    small = torch.cat([shrink(grainy, 4), shrink(planes[:, 1:], 4)], dim=1)
    noise = upsampled(small, grainy) - bilinear(small, (512, 512))
    assert noise.std() < 0.02 * sigma
    assert noise.abs().max() < 0.3 * sigma


@given(
    small=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    large=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_it_never_leaves_the_range_of_the_small_colors(
    small: tuple[int, int], large: tuple[int, int], seed: int
) -> None:
    planes, gray = random_planes(*small, seed), random_planes(*large, seed + 1)[:, :1]
    chroma = upsampled(planes, gray)
    assert chroma.shape == (1, 2, *large)
    assert (chroma.amax((2, 3)) <= planes[:, 1:].amax((2, 3)) + 1e-5).all()
    assert (chroma.amin((2, 3)) >= planes[:, 1:].amin((2, 3)) - 1e-5).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3, 400), (4001, 3), (97, 131)])
@pytest.mark.parametrize("small", [(1, 1), (1, 512), (512, 1), (32, 32)])
def test_strips_equal_the_whole_at_every_size(
    size: tuple[int, int], small: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    planes, gray = random_planes(*small), random_planes(*size)[:, :1]
    coefficients = guide(planes[:, :1], planes[:, 1:])
    whole = Upsampler(coefficients, *size)(gray)
    monkeypatch.setattr(upsample, "STRIP_PIXELS", 300)
    upsampler = Upsampler(coefficients, *size)
    strips = list(upsampler.strips())
    assert [row for strip in strips for row in range(strip.start, strip.stop)] == list(range(size[0]))
    assert max(strip.stop - strip.start for strip in strips) <= max(1, 300 // size[1])
    assert upsampler.scratch().numel() >= 3 * max(strip.stop - strip.start for strip in strips) * size[1]
    for rows in (*strips, slice(size[0] // 3, size[0] // 3 + size[0] // 2 + 1)):
        torch.testing.assert_close(upsampler(gray[:, :, rows], rows.start), whole[:, :, rows], atol=1e-6, rtol=0)


def test_without_edges_it_has_the_geometry_of_interpolate() -> None:
    planes = random_planes(13, 17)
    planes[:, 0] = 0.5
    chroma = upsampled(planes, torch.full((1, 1, 101, 59), 0.5))
    torch.testing.assert_close(chroma, bilinear(planes, (101, 59)), atol=1e-5, rtol=0)


def test_a_batch_equals_its_pictures() -> None:
    small, gray = random_planes(9, 9).repeat(2, 1, 1, 1), random_planes(30, 30)[:, :1].repeat(2, 1, 1, 1)
    small[1], gray[1] = random_planes(9, 9, 1)[0], random_planes(30, 30, 2)[0, :1]
    both = upsampled(small, gray)
    assert torch.equal(both[1:], upsampled(small[1:], gray[1:]))


def test_autocast_changes_nothing() -> None:
    planes, gray = random_planes(9, 9), random_planes(30, 30)[:, :1]
    chroma = upsampled(planes, gray)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(upsampled(planes, gray), chroma)
    short = planes.double()
    assert torch.equal(guide(short[:, :1], short[:, 1:]), guide(planes[:, :1], planes[:, 1:]))


def test_wrong_input_is_refused() -> None:
    planes = random_planes(4, 4)
    with pytest.raises(ValueError, match="differ in size"):
        guide(planes[:, :1, 1:], planes[:, 1:])
    with pytest.raises(ValueError, match=r"chroma must be a float tensor of shape \(B, 2, H, W\)"):
        guide(planes[:, :1], planes)
    with pytest.raises(ValueError, match=r"gray must be a float tensor of shape \(B, 1, H, W\)"):
        guide(planes[:, 1:], planes[:, 1:])
    with pytest.raises(ValueError, match="differ in size"):
        guide(planes[:, :1], planes[:, 1:].repeat(2, 1, 1, 1))
    coefficients = guide(planes[:, :1], planes[:, 1:])
    with pytest.raises(ValueError, match=r"coefficients must be a float tensor of shape \(B, 8, H, W\)"):
        Upsampler(coefficients[:, 1:], 10, 4)
    upsampler = Upsampler(coefficients, 10, 4)
    for top, stop in ((7, 11), (-1, 3)):
        with pytest.raises(ValueError, match=f"Rows {top} to {stop} are not in a picture of 10 rows"):
            upsampler(planes[:, :1], top)
    with pytest.raises(ValueError, match=r"gray must be a float tensor of shape \(B, 1, H, W\)"):
        upsampler(planes[:, 1:])
