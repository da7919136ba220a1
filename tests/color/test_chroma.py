"""Chroma on a gray: the way from ab, the limits of sRGB, and the gray that stays."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from colorize.color import lab_to_rgb, luminance, rgb_to_gray, rgb_to_lab
from colorize.color.chroma import ab_to_chroma, add_chroma, fit_chroma_


def rgb_of(gray: Tensor, chroma: Tensor) -> Tensor:
    return torch.cat(add_chroma(gray, chroma), dim=1)


def wild() -> tuple[Tensor, Tensor]:
    """Every gray with chroma far beyond what sRGB has, in all hues: (1, 1, 101, 360) and (1, 2, 101, 360)."""
    gray, hue = torch.meshgrid(torch.linspace(0, 1, 101), torch.deg2rad(torch.arange(360.0)), indexing="ij")
    return gray[None, None], torch.stack([2 * hue.cos(), 2 * hue.sin()])[None]


def test_gray_and_chroma_add_up_to_that_gray() -> None:
    gray, chroma = wild()
    torch.testing.assert_close(rgb_to_gray(rgb_of(gray, chroma)), gray, atol=1e-5, rtol=0)


def test_the_chroma_of_a_colour_and_its_gray_are_the_colour() -> None:
    rgb = torch.rand(1, 3, 50, 50, generator=torch.Generator().manual_seed(0))
    gray = rgb_to_gray(rgb)
    torch.testing.assert_close(rgb_of(gray, rgb[:, ::2] - gray), rgb, atol=1e-5, rtol=0)


def test_the_chroma_of_ab_is_that_of_its_colour() -> None:
    gray = torch.full((1, 1, 9, 9), 0.5)
    ab = torch.stack(torch.meshgrid(torch.linspace(-20, 20, 9), torch.linspace(-20, 20, 9), indexing="ij"))[None]
    rgb = lab_to_rgb(torch.cat([luminance(gray), ab], dim=1))
    torch.testing.assert_close(ab_to_chroma(gray, ab), rgb[:, ::2] - rgb_to_gray(rgb), atol=1e-5, rtol=0)
    seen = rgb_to_lab(rgb_of(gray, ab_to_chroma(gray, ab)))[:, 1:]
    assert (seen - ab).abs().max() < 2  # its luma stays where that of ab on the same L would not
    assert ab_to_chroma(gray, ab * 0).abs().max() < 1e-4


def test_a_fitted_colour_is_in_range_on_its_border_and_of_its_hue() -> None:
    gray, chroma = wild()
    fitted = fit_chroma_(chroma.clone(), gray, 1 - gray)
    rgb = rgb_of(gray, fitted)
    assert rgb.min() > -1e-5
    assert rgb.max() < 1 + 1e-5
    torch.testing.assert_close(rgb.amin(1).minimum(1 - rgb.amax(1)), torch.zeros(1, 101, 360), atol=1e-5, rtol=0)
    assert (fitted[:, 0] * chroma[:, 1] - fitted[:, 1] * chroma[:, 0]).abs().max() < 1e-5  # parallel
    assert (fitted * chroma).sum(1).min() >= 0  # not opposite
    assert fitted[:, :, [0, -1]].abs().max() < 1e-5  # black and white


def test_another_luma_has_another_green() -> None:
    """That of Rec.709."""
    gray, chroma = wild()
    red, blue = fit_chroma_(chroma, gray, 1 - gray, 0.2126, 0.0722).split(1, dim=1)
    green = -(0.2126 * red + 0.0722 * blue) / 0.7152
    rgb = gray + torch.cat([red, green, blue], dim=1)
    border = rgb.amin(1).minimum(1 - rgb.amax(1))
    torch.testing.assert_close(border, torch.zeros(1, 101, 360), atol=1e-5, rtol=0)


def test_memory_that_is_larger_than_needed_changes_nothing() -> None:
    gray, chroma = wild()
    fitted = fit_chroma_(chroma.clone(), gray, 1 - gray)
    assert torch.equal(fit_chroma_(chroma, gray, 1 - gray, scratch=torch.full((200_000,), torch.nan)), fitted)


def test_an_ab_that_srgb_lacks_keeps_its_hue_of_chroma() -> None:
    gray = torch.full((1, 1, 1, 4), 0.5)
    ab = torch.tensor([[90.0, 0], [0, 100], [-90, 20], [30, -110]]).T[None, :, None]
    rgb = lab_to_rgb(torch.cat([luminance(gray), ab], dim=1), clip=False)
    wanted, got = rgb[:, ::2] - rgb_to_gray(rgb), ab_to_chroma(gray, ab)
    share = got.norm(dim=1) / wanted.norm(dim=1)
    assert share.max() < 0.95
    torch.testing.assert_close(got, wanted * share[:, None], atol=1e-5, rtol=0)


def test_what_is_in_range_stays_bit_for_bit() -> None:
    rgb = torch.rand(1, 3, 50, 50, generator=torch.Generator().manual_seed(1)) * 0.98 + 0.01
    gray = rgb_to_gray(rgb)
    chroma = rgb[:, ::2] - gray
    assert torch.equal(fit_chroma_(chroma.clone(), gray, 1 - gray), chroma)


@given(st.floats(0, 1), st.floats(-300, 300), st.floats(-300, 300))
def test_any_ab_gives_a_colour(value: float, a: float, b: float) -> None:
    gray = torch.full((1, 1, 1, 1), value)
    rgb = rgb_of(gray, ab_to_chroma(gray, torch.tensor([a, b]).reshape(1, 2, 1, 1)))
    assert rgb.isfinite().all()
    assert rgb.min() > -1e-4
    assert rgb.max() < 1 + 1e-4


def test_wrong_input_is_refused_and_autocast_changes_nothing() -> None:
    gray, ab = torch.rand(1, 1, 4, 4), torch.rand(1, 2, 4, 4) * 40
    with pytest.raises(ValueError, match=r"ab must be a float tensor of shape \(B, 2, H, W\)"):
        ab_to_chroma(gray, gray)
    with pytest.raises(ValueError, match=r"gray must be a float tensor of shape \(B, 1, H, W\)"):
        ab_to_chroma(torch.rand(1, 3, 4, 4), ab)
    expected = ab_to_chroma(gray, ab)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ab_to_chroma(gray, ab), expected)
    short = gray.bfloat16(), ab.double()
    torch.testing.assert_close(ab_to_chroma(*short), ab_to_chroma(*(side.float() for side in short)), atol=0, rtol=0)
