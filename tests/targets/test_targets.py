"""Targets: a file's few words make them again, and a gray photograph is seen as a picture made gray is."""

import json

import pytest
import torch
from torch import Tensor

from colorize.color import rgb_to_gray, rgb_to_lab
from colorize.errors import ColorizeError
from colorize.targets import GrayscaleTarget, LabTarget, ReconstructionTarget, RGBTarget, Target, build_target

TARGETS = [GrayscaleTarget(), LabTarget(), LabTarget("lab"), RGBTarget(), ReconstructionTarget()]


@pytest.fixture
def rgb() -> Tensor:
    return torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_what_a_file_keeps_of_it_makes_it_again(target: Target) -> None:
    assert build_target(json.loads(json.dumps(target.describe()))) == target


@pytest.mark.parametrize("target", [LabTarget(), RGBTarget()], ids=str)
def test_a_gray_photograph_is_seen_as_the_picture_made_gray(target: Target, rgb: Tensor) -> None:
    gray = rgb_to_gray(rgb).expand(-1, 3, -1, -1)
    torch.testing.assert_close(target.see(gray), target.see(rgb), atol=1e-5, rtol=0)


def test_the_colour_pictures_own_luminance_is_what_no_gray_photograph_has(rgb: Tensor) -> None:
    gray = rgb_to_gray(rgb).expand(-1, 3, -1, -1)
    own = LabTarget("lab")
    assert (own.see(gray) - own.see(rgb)).abs().max() > 0.05  # 2.5 units of L
    assert LabTarget() == LabTarget("gray")


def test_grayscaling_alone_runs_over_the_whole_photograph() -> None:
    assert [target for target in TARGETS if target.at_full_size] == [GrayscaleTarget()]


@pytest.mark.parametrize("target", [LabTarget("lab"), RGBTarget(), ReconstructionTarget()], ids=str)
def test_the_colours_of_a_perfect_answer_are_the_pictures(target: Target, rgb: Tensor) -> None:
    ab = target.to_ab(target.see(rgb), target.target({"rgb": rgb}))
    torch.testing.assert_close(ab, rgb_to_lab(rgb)[:, 1:], atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "LabTargt"}, "target.name 'LabTargt' is unknown: did you mean LabTarget?"),
        ({"name": "Target"}, "is unknown"),
        ({"name": "LabTarget", "luminance": "red"}, "model.luminance is 'red', but must be gray or lab"),
        ({"name": "RGBTarget", "luminance": "lab"}, "unexpected keyword argument 'luminance'"),
    ],
)
def test_a_target_that_cannot_be_is_named(spec: dict[str, str], words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        build_target(spec)


def test_the_gray_of_a_picture_is_the_photographs_whatever_its_colours() -> None:
    rgb = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(3))
    target = LabTarget(luminance="gray")
    x = target.see(rgb)
    picture = target.to_rgb(x, 2 * torch.rand(2, 2, 9, 7, generator=torch.Generator().manual_seed(4)) - 1)
    assert 0 <= picture.min() <= picture.max() <= 1
    torch.testing.assert_close(rgb_to_gray(picture), rgb_to_gray(rgb), atol=2e-4, rtol=0)
    lab = LabTarget(luminance="lab")
    torch.testing.assert_close(lab.to_rgb(lab.see(rgb), lab.target({"rgb": rgb})), rgb, atol=2e-4, rtol=0)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_whatever_is_said_the_picture_is_in_range(target: Target, rgb: Tensor) -> None:
    said = 10 * torch.randn(2, target.out_channels, 9, 11, generator=torch.Generator().manual_seed(0))
    picture = target.to_rgb(target.see(rgb), said.bfloat16())
    assert picture.dtype == torch.float32
    assert picture.shape == (2, 3, 9, 11)
    assert 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("luminance", ["gray", "lab"])
def test_the_picture_of_ab_has_no_gradient(luminance: str, rgb: Tensor) -> None:
    target = LabTarget(luminance)
    assert not target.to_rgb(target.see(rgb), torch.zeros(2, 2, 9, 11, requires_grad=True)).requires_grad


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_black_is_seen_as_minus_1_and_white_as_1(target: Target) -> None:
    """As the networks of all files were trained."""
    for value, expected in ((0.0, -1.0), (1.0, 1.0)):
        seen = target.see(torch.full((1, 3, 2, 2), value))
        torch.testing.assert_close(seen, torch.full((1, target.in_channels, 2, 2), expected), atol=1e-4, rtol=0)
