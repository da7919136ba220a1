import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from colorize.color import delta_e
from colorize.color.upsample import guide, upsample_ab


def random_lab(height: int, width: int, seed: int = 0) -> Tensor:
    lab = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 100
    return lab - torch.tensor([0.0, 50, 50]).reshape(1, 3, 1, 1)


def disc(luminance: tuple[float, float]) -> Tensor:
    """A red disc on green, Lab (1, 3, 256, 256); `luminance` of the disc and of the ground."""
    y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    inside = (y - 120) ** 2 + (x - 135) ** 2 < 70**2
    on, off = torch.tensor([luminance[0], 40.0, 20]), torch.tensor([luminance[1], -30.0, 30])
    return torch.where(inside, on.reshape(1, 3, 1, 1), off.reshape(1, 3, 1, 1))


def shrink(lab: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(lab, factor)


def upsampled(small: Tensor, luminance: Tensor) -> Tensor:
    return upsample_ab(guide(small[:, :1], small[:, 1:]), luminance)


def bilinear(small: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(small[:, 1:], size, mode="bilinear")


def error(lab: Tensor, ab: Tensor) -> float:
    return delta_e(lab, torch.cat([lab[:, :1], ab], dim=1)).mean().item()


@pytest.mark.parametrize("factor", [4, 8])
def test_less_bleeds_over_an_edge_than_bilinear(factor: int) -> None:
    lab = disc((35, 75))
    small = shrink(lab, factor)
    assert error(lab, upsampled(small, lab[:, :1])) < 0.7 * error(lab, bilinear(small, (256, 256)))


def test_where_luminance_shows_no_edge_it_is_bilinear() -> None:
    lab = disc((50, 50))
    small = shrink(lab, 8)
    torch.testing.assert_close(upsampled(small, lab[:, :1]), bilinear(small, (256, 256)), atol=1e-3, rtol=0)


def test_equal_sizes_give_ab_itself() -> None:
    lab = random_lab(40, 60)
    torch.testing.assert_close(upsampled(lab, lab[:, :1]), lab[:, 1:], atol=1e-3, rtol=0)


@pytest.mark.parametrize("sigma", [3, 8])
def test_grain_stays_out_of_smooth_colors(sigma: float) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 512), torch.linspace(0, 1, 512), indexing="ij")
    lab = torch.stack([45 + 30 * y, 30 * torch.sin(3 * x), 40 * y - 30])[None]
    grainy = lab[:, :1] + sigma * torch.randn(1, 1, 512, 512, generator=torch.Generator().manual_seed(0))
    small = torch.cat([shrink(grainy, 4), shrink(lab[:, 1:], 4)], dim=1)
    noise = upsampled(small, grainy) - bilinear(small, (512, 512))
    assert noise.std() < 0.02 * sigma
    assert noise.abs().max() < 0.3 * sigma


@given(
    small=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    large=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_it_never_leaves_the_range_of_the_small_colors(
    small: tuple[int, int], large: tuple[int, int], seed: int
) -> None:
    lab, luminance = random_lab(*small, seed), random_lab(*large, seed + 1)[:, :1]
    ab = upsampled(lab, luminance)
    assert ab.shape == (1, 2, *large)
    assert (ab.amax((2, 3)) <= lab[:, 1:].amax((2, 3)) + 1e-3).all()
    assert (ab.amin((2, 3)) >= lab[:, 1:].amin((2, 3)) - 1e-3).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4001, 3), (97, 131)])
@pytest.mark.parametrize("small", [(1, 1), (1, 512), (512, 1), (32, 32)])
def test_strips_equal_the_whole_at_every_size(size: tuple[int, int], small: tuple[int, int]) -> None:
    lab, luminance = random_lab(*small), random_lab(*size)[:, :1]
    coefficients = guide(lab[:, :1], lab[:, 1:])
    whole = upsample_ab(coefficients, luminance)
    for rows in (max(1, size[0] // 7), 1 + size[0] // 2):
        tops = range(0, size[0], rows)
        strips = [upsample_ab(coefficients, luminance[:, :, top : top + rows], top, size[0]) for top in tops]
        torch.testing.assert_close(torch.cat(strips, dim=2), whole, atol=1e-5, rtol=0)


def test_without_edges_it_has_the_geometry_of_interpolate() -> None:
    lab = random_lab(13, 17)
    lab[:, 0] = 50
    ab = upsampled(lab, torch.full((1, 1, 101, 59), 50.0))
    torch.testing.assert_close(ab, bilinear(lab, (101, 59)), atol=1e-3, rtol=0)


def test_a_batch_equals_its_pictures() -> None:
    small, luminance = random_lab(9, 9).repeat(2, 1, 1, 1), random_lab(30, 30)[:, :1].repeat(2, 1, 1, 1)
    small[1], luminance[1] = random_lab(9, 9, 1)[0], random_lab(30, 30, 2)[0, :1]
    both = upsampled(small, luminance)
    assert torch.equal(both[1:], upsampled(small[1:], luminance[1:]))


def test_autocast_changes_nothing() -> None:
    lab, luminance = random_lab(9, 9), random_lab(30, 30)[:, :1]
    ab = upsampled(lab, luminance)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(upsampled(lab, luminance), ab)


def test_wrong_input_is_refused() -> None:
    lab = random_lab(4, 4)
    with pytest.raises(ValueError, match="differ in size"):
        guide(lab[:, :1, 1:], lab[:, 1:])
    with pytest.raises(ValueError, match=r"ab must be a float tensor of shape \(B, 2, H, W\)"):
        guide(lab[:, :1], lab)
    coefficients = guide(lab[:, :1], lab[:, 1:])
    with pytest.raises(ValueError, match="Rows 8 to 12 are not in a picture of 10 rows"):
        upsample_ab(coefficients, lab[:, :1], top=8, height=10)
