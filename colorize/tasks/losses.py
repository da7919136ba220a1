"""Losses of (prediction, target), mean over all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from colorize.registry import build, imported_subclasses


class Loss(nn.Module, ABC):
    """A loss of your own: a subclass is found by its name once its module is imported."""

    @abstractmethod
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """A scalar of two tensors (B, C, H, W)."""


LOSSES: dict[str, Callable[..., nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
}


def build_loss(spec: Mapping[str, Any]) -> nn.Module:
    """A loss from e.g. `{"name": "smooth_l1", "beta": 0.05}`."""
    return build("model.loss", LOSSES | imported_subclasses(Loss), spec)
