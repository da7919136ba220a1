"""Where sRGB ends, by what becomes of Lab in RGB."""

import pytest
import torch

from colorize.color import in_gamut, lab_to_rgb, rgb_to_lab


def test_in_gamut_is_what_rgb_says() -> None:
    generator = torch.Generator().manual_seed(0)
    lab = torch.rand(4, 3, 50, 50, generator=generator) * torch.tensor([98, 200, 200])[:, None, None]
    lab = lab + torch.tensor([1, -100, -100])[:, None, None]
    beyond = (lab_to_rgb(lab, clip=False) - 0.5).abs().amax(dim=1) - 0.5
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = in_gamut(lab)
    assert inside[beyond < 0].all()
    assert not inside[beyond > 3e-4].any()
    assert 0.1 < inside.float().mean() < 0.9
    assert in_gamut(rgb_to_lab(torch.rand(4, 3, 50, 50, generator=generator))).all()


def test_the_gamut_ends_at_the_corners_of_rgb() -> None:
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    assert in_gamut(rgb_to_lab(corners.T[None, :, None])).all()
    steps = 3e-4 * torch.eye(3)[:, None] * (2 * corners - 1)  # outward in one channel
    assert not in_gamut(rgb_to_lab((corners + steps).reshape(1, 24, 3).mT[:, :, None])).any()


def test_in_gamut_computes_in_float32_and_refuses_gray() -> None:
    lab = torch.rand(1, 3, 50, 50, generator=torch.Generator().manual_seed(0)) * 100
    assert torch.equal(in_gamut(lab.bfloat16()), in_gamut(lab.bfloat16().float()))
    with pytest.raises(ValueError, match=r"lab must be a float tensor of shape \(B, 3, H, W\)"):
        in_gamut(lab[:, :1])
