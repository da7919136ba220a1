"""Losses: values by hand, gradients, and what is refused."""

import math

import pytest
import torch

from colorize.color import colorfulness, rgb_to_gray
from colorize.errors import ColorizeError
from colorize.tasks.losses import WorseThanGray, build_loss


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"name": "huber"},
            "model.loss.name 'huber' is unknown. Known: l1, mse, relative_smooth_l1, smooth_l1, worse",
        ),
        ({"name": "l1", "beta": 1}, "unexpected keyword argument 'beta'"),
        ({"name": "relative_smooth_l1", "beta": -1}, "model.loss: .* cannot be built: beta is -1, "),
        ({"name": "relative_smooth_l1", "half_weight_at": 0}, "model.loss: .* cannot be built: half_weight_at is 0, "),
        ({"name": "worse_than_gray", "width": 0}, "cannot be built: colorfulness_ratio is 0.62 and width 0, "),
        ({"name": "worse_than_gray", "colorfulness_ratio": -1}, "cannot be built: colorfulness_ratio is -1 and width "),
        ({"name": "worse_than_gray", "error_weight": -1}, "cannot be built: error_weight is -1, "),
        ({"name": "mse", "reduction": "none"}, "is not one number: use reduction=mean"),
        ({"beta": 1}, "must be a mapping with a name"),
        ({"name": "os.system"}, "is unknown"),
    ],
)
def test_losses_that_do_not_exist_are_named(spec: dict[str, object], words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        build_loss(spec)


def test_a_relative_loss_weighs_pictures_by_how_gray_they_are() -> None:
    target = torch.tensor([0.0, 0.1, -0.3]).view(3, 1, 1, 1).expand(3, 3, 4, 4)
    prediction = target + torch.tensor([0.02, -0.04, 0.5]).view(3, 1, 1, 1)
    loss = build_loss({"name": "relative_smooth_l1", "beta": 0.2, "half_weight_at": 0.01})(prediction, target)
    squared = 0.5 * 0.02**2 / 0.2, 0.5 * 0.04**2 / 0.2
    expected = (squared[0] + squared[1] / 2 + (0.5 - 0.1) / 10) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    alike = build_loss({"name": "relative_smooth_l1", "beta": 0.2, "half_weight_at": 1e9})(prediction, target)
    plain = build_loss({"name": "smooth_l1", "beta": 0.2})(prediction, target)
    assert alike.item() == pytest.approx(plain.item(), rel=1e-5)


def chroma(*colors: tuple[float, float]) -> torch.Tensor:
    """(B, 3, 10, 10): for each (strength, share), red chroma of that strength on that share of the columns."""
    pictures = torch.zeros(len(colors), 3, 10, 10)
    red = torch.tensor([0.701, -0.299, -0.299])[:, None, None]
    for picture, (strength, share) in zip(pictures, colors, strict=True):
        picture[:, :, : round(10 * share)] = strength * red
    return pictures


def test_worse_than_gray_is_the_share_of_pictures_beyond_their_gray() -> None:
    target = chroma((0.4, 0.5), (0.4, 0.5), (0.4, 0.5), (0.4, 0.5))
    wrong = torch.roll(target, 5, dims=3)  # the colour where there is none: twice the error of gray
    prediction = torch.cat([target[:3], wrong[:1]])
    loss = WorseThanGray(colorfulness_ratio=1, width=1e-3, error_weight=0)
    assert loss(prediction, target).item() == pytest.approx(1 / 4)
    assert loss(2.5 * prediction, target).item() == pytest.approx(1 / 4), "how vivid a prediction is does not count"


def test_worse_than_gray_is_its_formula_at_the_colorfulness_that_is_asked_for() -> None:
    target, prediction = chroma((0.4, 0.5), (0.2, 0.3)), chroma((0.3, 0.5), (0.3, 0.4))
    pictures = (values + 0.5 for values in (target, prediction))  # of a gray of 0.5, which colorfulness does not see
    true, predicted = (colorfulness(rgb).mean() for rgb in pictures)
    error = (0.62 * true / predicted * prediction - target).square().mean((1, 2, 3))
    gray = (rgb_to_gray(target) - target).square().mean((1, 2, 3))
    expected = [1 / (1 + math.exp(-(e / g - 1) / 0.1)) + 0.5 * e / 0.0078 for e, g in zip(error, gray, strict=True)]
    assert WorseThanGray()(prediction, target).item() == pytest.approx(sum(expected).item() / 2, rel=1e-4)


def test_worse_than_gray_has_a_gradient_where_there_is_no_colour() -> None:
    prediction = torch.zeros(2, 3, 4, 4, requires_grad=True)
    WorseThanGray()(prediction, chroma((0, 0), (0.3, 0.5))[:, :, :4, 3:7]).backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
