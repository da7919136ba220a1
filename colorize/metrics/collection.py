"""The collections of metrics that tasks log.

Pictures are RGB in [0, 1], float (B, 3, H, W). Metrics add up over all pictures of an epoch and all devices.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanSquaredError, Metric, MetricCollection
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from colorize.color import full_precision
from colorize.metrics.lab import DeltaE, OutOfGamut, PSNRab, SlicedWasserstein
from colorize.metrics.rgb import Colorfulness, ColorfulnessRatio, MSERatio


@contextmanager
def ieee_convolutions() -> Iterator[None]:
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
        with ieee_convolutions():
            super().update(preds.contiguous(memory_format=last), target.contiguous(memory_format=last))


class PictureMetrics(MetricCollection):
    """A collection updated with two float (B, C, H, W) pictures in [0, 1], in float32 and any memory format.

    Further tensors go by name to those of its metrics whose `update` has an argument of that name.

    Raises:
        ValueError: on update, pictures that are not float, of different shapes, or of fewer than 6 x 6 pixels
            (ssim, whose window is 11 x 11, reflects 5 pixels at each edge).
    """

    @full_precision
    def update(self, prediction: Tensor, target: Tensor, **more: Tensor) -> None:  # type: ignore[override]
        super().update(*self._pictures(prediction, target), **more)

    @full_precision
    def forward(self, prediction: Tensor, target: Tensor, **more: Tensor) -> dict[str, Any]:
        return super().forward(*self._pictures(prediction, target), **more)

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
        A collection with the keys of `gray_metrics` and mse_ratio, delta_e, psnr_ab, ab_sliced_wasserstein,
        colorfulness, colorfulness_ratio.
    """
    return PictureMetrics(
        {
            **_general(),
            "mse_ratio": MSERatio(),
            "delta_e": DeltaE(),
            "psnr_ab": PSNRab(),
            "ab_sliced_wasserstein": SlicedWasserstein(),
            "colorfulness": Colorfulness(),
            "colorfulness_ratio": ColorfulnessRatio(),
            **more,
        },
        prefix=prefix,
    )


def lab_metrics(prefix: str = "", **more: Metric) -> PictureMetrics:
    """`color_metrics` and out_of_gamut, which `update` is given `lab` for: the prediction before it became RGB."""
    return color_metrics(prefix, out_of_gamut=OutOfGamut(), **more)


def _general() -> dict[str, Metric | MetricCollection]:
    return {
        "mse": MeanSquaredError(),
        "mae": MeanAbsoluteError(),
        "psnr": PeakSignalNoiseRatio(data_range=1.0),
        "psnr_per_image": PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3)),
        "ssim": _SSIM(data_range=1.0),
    }
