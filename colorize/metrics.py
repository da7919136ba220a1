"""How near a coloured picture is to the truth: the metrics that tasks log, and their collections.

Pictures are RGB in [0, 1], float (B, 3, H, W). Metrics add up over all pictures of an epoch and all devices.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanSquaredError, Metric, MetricCollection
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from colorize.color import check_pair, colorfulness, delta_e, full_precision, rgb_to_gray, rgb_to_lab


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


class DeltaE(Metric):
    """Mean CIEDE2000 difference over all pixels of the epoch, see `delta_e`."""

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    difference: Tensor
    pixels: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("difference", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("pixels", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add RGB pictures, float (B, 3, H, W) in [0, 1]."""
        difference = delta_e(rgb_to_lab(prediction), rgb_to_lab(target))
        self.difference += difference.sum()
        self.pixels += difference.numel()

    def compute(self) -> Tensor:
        return self.difference / self.pixels


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


@contextmanager
def _ieee_convolutions() -> Iterator[None]:
    """True float32, not TF32, in the convolutions of an NVIDIA GPU. A switch of the process: for one thread alone."""
    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "ieee"
    try:
        yield
    finally:
        conv.fp32_precision = before


class _SSIM(StructuralSimilarityIndexMeasure):
    """Without TF32 in its convolution, and in channels-last memory, which halves the time of that on a CPU."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        last = torch.channels_last
        with _ieee_convolutions():
            super().update(preds.contiguous(memory_format=last), target.contiguous(memory_format=last))


class PictureMetrics(MetricCollection):
    """A collection updated with two float (B, C, H, W) pictures in [0, 1], in float32 and any memory format.

    Raises:
        ValueError: on update, pictures that are not float, of different shapes, or of fewer than 6 x 6 pixels
            (ssim, whose window is 11 x 11, reflects 5 pixels at each edge).
    """

    @full_precision
    def update(self, prediction: Tensor, target: Tensor) -> None:  # type: ignore[override]
        super().update(*self._pictures(prediction, target))

    @full_precision
    def forward(self, prediction: Tensor, target: Tensor) -> dict[str, Any]:
        return super().forward(*self._pictures(prediction, target))

    @staticmethod
    def _pictures(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        shape = prediction.shape
        is_float = prediction.is_floating_point() and target.is_floating_point()
        if not is_float or shape != target.shape or len(shape) != 4 or min(shape[2:]) < 6:
            raise ValueError(
                "Metrics compare two float tensors (B, C, H, W) of one shape, at least 6 x 6 pixels, but got "
                f"{prediction.dtype} {tuple(shape)} and {target.dtype} {tuple(target.shape)}."
            )
        return prediction.contiguous(), target.contiguous()  # mse views its input as a vector


def gray_metrics(prefix: str = "") -> PictureMetrics:
    """The metrics of gray pictures (B, 1, H, W) in [0, 1]; three equal channels give the same values.

    Returns:
        A collection with the keys mse, mae, psnr, psnr_per_image and ssim after `prefix`. psnr is
        10 log10(1 / mse) of the pooled error, and infinite if every picture is perfect. psnr_per_image is the
        mean of each picture's, often 3 dB more, and infinite if a single one is perfect.
    """
    return PictureMetrics(_general(), prefix=prefix)


def color_metrics(prefix: str = "", **more: Metric) -> PictureMetrics:
    """The metrics of coloured pictures (B, 3, H, W) in [0, 1].

    Args:
        prefix: before each name.
        more: metrics of your own, by name.

    Returns:
        A collection with the keys of `gray_metrics` and mse_ratio, delta_e, colorfulness, colorfulness_ratio.
    """
    return PictureMetrics(
        {
            **_general(),
            "mse_ratio": MSERatio(),
            "delta_e": DeltaE(),
            "colorfulness": Colorfulness(),
            "colorfulness_ratio": ColorfulnessRatio(),
            **more,
        },
        prefix=prefix,
    )


def _general() -> dict[str, Metric | MetricCollection]:
    return {
        "mse": MeanSquaredError(),
        "mae": MeanAbsoluteError(),
        "psnr": PeakSignalNoiseRatio(data_range=1.0),
        "psnr_per_image": PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3)),
        "ssim": _SSIM(data_range=1.0),
    }
