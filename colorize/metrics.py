"""How near a colored picture is to the truth: CIEDE2000, colorfulness, and the collections that tasks log.

Pictures are RGB in [0, 1], float (B, 3, H, W). Metrics add up over all pictures of an epoch and all devices.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanSquaredError, Metric, MetricCollection
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from colorize.color import check_images, full_precision, rgb_to_gray, rgb_to_lab


@full_precision
def delta_e(lab1: Tensor, lab2: Tensor) -> Tensor:
    """CIEDE2000 colour difference of each pixel, with k_L = k_C = k_H = 1.

    About 1 is the least difference an eye sees. Symmetric, 0 for equal colours, finite for gray. Not for a
    loss: its gradient is infinite at 0. Source: Sharma, Wu, Dalal, The CIEDE2000 color-difference formula,
    Color Research and Application 30 (2005), eq. 2 to 22.

    Args:
        lab1, lab2: CIE Lab, float (B, 3, H, W), L in [0, 100].

    Returns:
        float32 (B, H, W), at least 0.

    Raises:
        ValueError: wrong dtype or shape, or two shapes that differ.
    """
    _check_pair(lab1, lab2)
    (l1, a1, b1), (l2, a2, b2) = lab1.unbind(1), lab2.unbind(1)
    stretch = 1.5 - 0.5 * _saturation((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2)  # 1 + G
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)

    # The hues' difference and mean go the short way around the circle: `turn` is 1 or -1 where they lie more
    # than half a turn apart, and 0 for opposite hues (eq. 10, 14), also when float32 puts them just beyond.
    # The hue of gray is arbitrary: C1 C2 = 0 cancels it. (torch.where would cost ten additions on a CPU.)
    turn = ((h2 - h1) * (1 - 3e-7)).round()
    hue_difference = 2 * (c1 * c2).sqrt() * torch.sin((h2 - h1 - turn) * math.pi)
    h = (h1 + h2 - turn) / 2
    h = (h - h.floor()) * (2 * math.pi)
    c = (c1 + c2) / 2
    l_50 = ((l1 + l2) / 2 - 50).square()

    t = (
        1
        - 0.17 * torch.cos(h - math.radians(30))
        + 0.24 * torch.cos(2 * h)
        + 0.32 * torch.cos(3 * h + math.radians(6))
        - 0.20 * torch.cos(4 * h - math.radians(63))
    )
    from_blue = ((h - math.radians(275)) / math.radians(25)).square().clamp(max=80)  # subnormal results are slow
    rotation = math.radians(60) * torch.exp(-from_blue)  # 2 Δθ
    lightness = (l2 - l1) / (1 + 0.015 * l_50 / (20 + l_50).sqrt())
    chroma = (c2 - c1) / (1 + 0.045 * c)
    hue = hue_difference / (1 + 0.015 * c * t)
    r_t = -2 * _saturation(c) * torch.sin(rotation)
    square = lightness.square() + chroma.square() + hue.square() + r_t * chroma * hue
    return square.sqrt()  # |r_t| < 1.74 keeps the form positive


def _saturation(chroma: Tensor) -> Tensor:
    """sqrt(C^7 / (C^7 + 25^7)), of eq. 4 and 17."""
    power = (chroma / 25) ** 7
    return (power / (power + 1)).sqrt()


def _hue(a: Tensor, b: Tensor) -> Tensor:
    """Hue in [0, 1] turns, eq. 7."""
    turns = torch.atan2(b, a) / (2 * math.pi)
    return turns - turns.floor()


@full_precision
def colorfulness(rgb: Tensor) -> Tensor:
    """Colorfulness of each picture: 0 not, 15 slightly, 33 moderately, 59 quite, 109 extremely colorful.

    sqrt(σ_rg² + σ_yb²) + 0.3 sqrt(μ_rg² + μ_yb²) with rg = R - G and yb = (R + G) / 2 - B, signed, on
    the scale 0 to 255, and population deviations. Source: Hasler and Süsstrunk, Measuring colourfulness in
    natural images, SPIE 5007 (2003).

    Args:
        rgb: float (B, 3, H, W) in [0, 1].

    Returns:
        float32 (B,), at least 0.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 3)
    red, green, blue = rgb.unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], dim=1).flatten(2)  # (B, 2, H W)
    mean = opponents.mean(dim=2)
    variance = (opponents - mean[..., None]).square().mean(dim=2)
    spread: Tensor = variance.sum(dim=1).sqrt()
    return 255 * (spread + 0.3 * mean.square().sum(dim=1).sqrt())


def _check_pair(first: Tensor, second: Tensor) -> None:
    check_images("The first picture", first, 3)
    check_images("The second picture", second, 3)
    if first.shape != second.shape:
        raise ValueError(f"Two pictures must be of one shape, but are {tuple(first.shape)} and {tuple(second.shape)}.")


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
        _check_pair(prediction, target)
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


class _SSIM(StructuralSimilarityIndexMeasure):
    """Channels-last memory halves the time of its depthwise convolution on a CPU."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        last = torch.channels_last
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


def color_metrics(prefix: str = "") -> PictureMetrics:
    """The metrics of colored pictures (B, 3, H, W) in [0, 1].

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
