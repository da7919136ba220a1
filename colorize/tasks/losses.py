"""Losses of (prediction, target), mean over all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.errors import ColorizeError, first_line
from colorize.registry import build, imported_subclasses


class Loss(nn.Module, ABC):
    """A loss of your own: a subclass is found by its name once its module is imported."""

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


LOSSES: dict[str, Callable[..., nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
    "relative_smooth_l1": RelativeSmoothL1,
}


def build_loss(spec: Mapping[str, Any]) -> nn.Module:
    """A loss from e.g. `{"name": "smooth_l1", "beta": 0.05}`.

    Raises:
        ColorizeError: as `build`, or an argument that torch refuses only when the loss is computed.
    """
    loss = build("model.loss", LOSSES | imported_subclasses(Loss), spec)
    if spec["name"] in LOSSES:
        nothing = torch.zeros(2, 1, 1, 1, device="cpu")
        try:
            scalar = loss(nothing, nothing).ndim == 0
        except (TypeError, ValueError, RuntimeError) as error:
            raise ColorizeError(f"model.loss={dict(spec)} cannot be computed: {first_line(error)}") from error
        if not scalar:
            raise ColorizeError(f"model.loss={dict(spec)} is not one number: use reduction=mean.")
    return loss
