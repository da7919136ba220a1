"""Spots and scratches of old photographs: where they lie and how large they are, in pictures of every shape."""

import pytest
import torch
from torch import Generator, Tensor

from colorize.data import ageing


def marks(effect: str, height: int, width: int, count: int = 32) -> Tensor:
    """What the effect changes in gray pictures, (count, H, W)."""
    gray = torch.full((count, 1, height, width), 0.5)
    return (getattr(ageing, effect)(gray, torch.ones(count, 1, 1, 1), Generator().manual_seed(0)) - gray)[:, 0]


def has_run(line: Tensor, length: int) -> bool:
    """Whether so many values that are side by side in (N, W) are all above half of the row's largest."""
    above = line > line.amax(-1, keepdim=True) / 2
    return bool(above.unfold(-1, length, 1).all(-1).any())


@pytest.mark.parametrize("shape", [(32, 128), (128, 32)])
@pytest.mark.parametrize("effect", ["spot", "scratch"])
def test_they_lie_anywhere(effect: str, shape: tuple[int, int]) -> None:
    marked = (marks(effect, *shape).abs() > 0.05).any(0)
    for side in (0, 1):
        assert all(quarter.any() for quarter in marked.any(side).chunk(4))


def test_scratches_are_as_wide_and_deep_as_they_are_said_to_be() -> None:
    """0.2 to 0.6 units to a side, of 10 pixels here: above half of its depth a Gaussian is 1.67 times that wide."""
    change = marks("scratch", 8, 1280)
    across = change.abs().amax(1)
    assert 0.42 < across.max() <= 0.5
    across = across[across.amax(-1) > 0]
    assert not has_run(across, 13)
    assert has_run(across, 8)


def test_spots_are_as_large_as_they_are_said_to_be() -> None:
    """0.3 to 1.2 units."""
    across = marks("spot", 640, 1280, 8).abs().flatten(0, 1)
    across = across[across.amax(-1) > 0.9]
    assert has_run(across, 17)
    assert not has_run(across, 23)
