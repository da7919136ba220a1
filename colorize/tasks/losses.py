"""Losses of (prediction, target), mean over all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.color import colorfulness
from colorize.errors import ColorizeError, first_line
from colorize.registry import build, imported_subclasses


class Loss(nn.Module, ABC):
    """A loss of your own: a subclass is found by its name once its module is imported.

    Attributes:
        loss_space: that of the tasks that it is for, see `Task.loss_space`; None where it is for any.
    """

    loss_space: str | None = None

    @abstractmethod
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """A scalar of two tensors (B, C, H, W)."""


class RelativeSmoothL1(nn.Module):
    """Smooth L1 in which a picture counts less the more colour it has: divided by 1 + E / `half_weight_at`.

    E is the mean square of the picture's target, with `loss_space=chroma` the squared error of its gray. So pictures
    that are nearly gray, on which most colours are worse than none, are not drowned by colourful ones. What a network
    learns is paler and asks for a chroma_gain.

    Args:
        beta: errors below it count squared, larger ones linearly.
        half_weight_at: E of a picture that counts half as much as a gray one.

    Raises:
        ValueError: a beta below 0, or a half_weight_at that is not above 0.
    """

    def __init__(self, beta: float = 1.0, half_weight_at: float = 0.003) -> None:
        super().__init__()
        if not beta >= 0:
            raise ValueError(f"beta is {beta}, but must be at least 0")
        if not half_weight_at > 0:
            raise ValueError(f"half_weight_at is {half_weight_at}, but must be above 0")
        self.beta, self.half_weight_at = beta, half_weight_at

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """A scalar of two tensors (B, C, H, W)."""
        losses = F.smooth_l1_loss(prediction, target, beta=self.beta, reduction="none").mean((1, 2, 3))
        return (losses / (1 + target.square().mean((1, 2, 3)) / self.half_weight_at)).mean()


class WorseThanGray(nn.Module):
    """The share of pictures that are farther from the truth than their gray, made smooth, and their mean error.

    For `loss_space=chroma`, where the target's mean square is the squared error of gray. Muted colours are seldom
    worse than gray, so that the share alone would make a network pale: the predictions of a batch are scaled first, by
    one factor, to `colorfulness_ratio` of the truth's colorfulness (Hasler and Suesstrunk 2003; that of a picture is
    that of its chroma). A picture whose squared error is e, and e_gray that of its gray, then costs
    sigmoid((e / e_gray - 1) / `width`) + `error_weight` * e / 0.0078, the mean e_gray over photographs.

    Args:
        colorfulness_ratio: what the predictions of a batch are scaled to.
        width: of the sigmoid, in units of e / e_gray; the smaller, the nearer to the share itself.
        error_weight: of the mean error.

    Raises:
        ValueError: a colorfulness_ratio or width that is not above 0, or an error_weight below 0.
    """

    loss_space = "chroma"
    MEAN_GRAY_ERROR = 0.0078
    LEAST_GRAY_ERROR = 1e-5  # of a picture: below it, 8 bits hold no colour to miss
    LEAST_COLORFULNESS = 1e-3  # of a batch's predictions, so that the factor and its gradient are finite
    SCALES = (0.3, 4.0)  # what the factor is kept in, while a training finds its vividness

    def __init__(self, colorfulness_ratio: float = 0.62, width: float = 0.1, error_weight: float = 0.5) -> None:
        super().__init__()
        if not colorfulness_ratio > 0 or not width > 0:
            raise ValueError(f"colorfulness_ratio is {colorfulness_ratio} and width {width}, but must be above 0")
        if not error_weight >= 0:
            raise ValueError(f"error_weight is {error_weight}, but must be at least 0")
        self.colorfulness_ratio, self.width, self.error_weight = colorfulness_ratio, width, error_weight

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """A scalar of two tensors (B, 3, H, W), each RGB less its Rec.601 gray."""
        predicted = colorfulness(prediction).mean().clamp_min(self.LEAST_COLORFULNESS)
        scale = self.colorfulness_ratio * colorfulness(target).mean() / predicted
        error = (scale.clamp(*self.SCALES) * prediction - target).square().mean((1, 2, 3))
        gray = target.square().mean((1, 2, 3)).clamp_min(self.LEAST_GRAY_ERROR)
        worse = torch.sigmoid((error / gray - 1) / self.width)
        return (worse + self.error_weight * error / self.MEAN_GRAY_ERROR).mean()


LOSSES: dict[str, Callable[..., nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
    "relative_smooth_l1": RelativeSmoothL1,
    "worse_than_gray": WorseThanGray,
}


def build_loss(spec: Mapping[str, Any], loss_space: str | None = None) -> nn.Module:
    """A loss from e.g. `{"name": "smooth_l1", "beta": 0.05}`, for a task that has this `loss_space`.

    Raises:
        ColorizeError: as `build`, a loss of another space, or an argument that torch refuses only when the loss is
            computed.
    """
    loss = build("model.loss", LOSSES | imported_subclasses(Loss), spec)
    space = getattr(loss, "loss_space", None)
    if space not in (None, loss_space):
        raise ColorizeError(
            f"model.loss.name={spec['name']} compares {space}: add model.loss_space={space}, which LabTask has."
        )
    if spec["name"] in LOSSES:
        nothing = torch.zeros(2, 3, 1, 1, device="cpu")
        try:
            scalar = loss(nothing, nothing).ndim == 0
        except (TypeError, ValueError, RuntimeError) as error:
            raise ColorizeError(f"model.loss={dict(spec)} cannot be computed: {first_line(error)}") from error
        if not scalar:
            raise ColorizeError(f"model.loss={dict(spec)} is not one number: use reduction=mean.")
    return loss
