"""How near a coloured picture is to the truth in RGB: error over the gray floor's, and colorfulness."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from colorize.color import check_pair, colorfulness, full_precision, rgb_to_gray


class MSERatio(Metric):
    """Squared error of the predictions over that of the gray floor, the truth's Rec.601 gray: 1 adds nothing.

    Both errors are pooled over the epoch. Means nothing where every truth is gray.
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    prediction_error: Tensor
    gray_error: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("prediction_error", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("gray_error", torch.tensor(0.0), dist_reduce_fx="sum")

    @full_precision
    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add RGB pictures, float (B, 3, H, W) in [0, 1]."""
        check_pair(prediction, target)
        self.prediction_error += (prediction - target).square().sum()
        self.gray_error += (rgb_to_gray(target) - target).square().sum()

    def compute(self) -> Tensor:
        return self.prediction_error / self.gray_error


class Colorfulness(Metric):
    """Mean `colorfulness` of the predicted pictures.

    It sums the truth's too, so that a collection updates this metric and `ColorfulnessRatio` in one go.
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    predicted: Tensor
    true: Tensor
    images: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("predicted", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("true", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add RGB pictures, float (B, 3, H, W) in [0, 1]."""
        self.predicted += colorfulness(prediction).sum()
        self.true += colorfulness(target).sum()
        self.images += len(prediction)

    def compute(self) -> Tensor:
        return self.predicted / self.images


class ColorfulnessRatio(Colorfulness):
    """Mean `colorfulness` of the predictions over that of the truth; not finite where every truth is gray."""

    def compute(self) -> Tensor:
        return self.predicted / self.true
