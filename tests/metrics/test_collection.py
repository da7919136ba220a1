"""The metrics against their definitions, over batches, replicas, precisions and memory formats."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
import skimage.color
import skimage.filters
import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.image import StructuralSimilarityIndexMeasure

from colorize.color import delta_e, rgb_to_gray
from colorize.metrics import (
    Colorfulness,
    ColorfulnessRatio,
    DeltaE,
    MSERatio,
    PSNRab,
    SlicedWasserstein,
    color_metrics,
    gray_metrics,
)
from tests.color.reference import colorfulness_reference

Array = npt.NDArray[np.float64]


def pictures(seed: int, count: int, size: int = 16) -> tuple[Tensor, Tensor]:
    """Predictions and their noisy truth, unlike from picture to picture: float32 (count, 3, size, size)."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, 3, size, size)) * rng.random((count, 3, 1, 1))
    noise = rng.normal(size=truth.shape) * rng.random((count, 1, 1, 1)) * 0.2
    return torch.from_numpy(np.clip(truth + noise, 0, 1)).float(), torch.from_numpy(truth).float()


ALONE: list[type[Metric]] = [MSERatio, DeltaE, PSNRab, SlicedWasserstein, Colorfulness, ColorfulnessRatio]
BATCHES = [pictures(0, 5), pictures(1, 2), pictures(2, 1)]
POOLED = tuple(torch.cat(side) for side in zip(*BATCHES, strict=True))


def update(metrics: Metric | MetricCollection, batches: list[tuple[Tensor, Tensor]]) -> None:
    for prediction, target in batches:
        metrics.update(prediction, target)


def values(metrics: MetricCollection, batches: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    update(metrics, batches)
    return {name: value.item() for name, value in metrics.compute().items()}


def ssim_reference(x: Array, y: Array) -> float:
    """Wang et al. 2004, eq. 13, each channel for itself, 11 x 11 gaussian window of σ 1.5."""

    def blur(image: Array) -> Array:
        blurred: Array = skimage.filters.gaussian(image, 1.5, mode="mirror", truncate=3.5, channel_axis=0)
        return blurred

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    ssim = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    return float(ssim.mean())


def general_reference(prediction: Tensor, target: Tensor) -> dict[str, float]:
    x, y = prediction.double().numpy(), target.double().numpy()
    square = (x - y) ** 2
    return {
        "mse": square.mean(),
        "mae": np.abs(x - y).mean(),
        "psnr": -10 * np.log10(square.mean()),
        "psnr_per_image": np.mean(-10 * np.log10(square.mean(axis=(1, 2, 3)))),
        "ssim": float(np.mean([ssim_reference(*pair) for pair in zip(x, y, strict=True)])),
    }


def sliced_wasserstein_reference(x: Array, y: Array) -> float:
    """Bonneel et al. 2015, on 16 lines, of ab (B, 2, H, W) rounded to Lab units."""
    angles = np.arange(16) * np.pi / 16
    lines = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    projections = [lines @ ab.round().swapaxes(0, 1).reshape(2, -1) for ab in (x, y)]
    return float(np.mean([scipy.stats.wasserstein_distance(*pair) for pair in zip(*projections, strict=True)]))


def reference(prediction: Tensor, target: Tensor) -> dict[str, float]:
    x, y = prediction.double().numpy(), target.double().numpy()
    gray = np.tensordot([0.299, 0.587, 0.114], y, axes=(0, 1))[:, None]  # (B, 1, H, W)
    labs = [skimage.color.rgb2lab(rgb, channel_axis=1) for rgb in (x, y)]
    predicted, true = ([colorfulness_reference(rgb) for rgb in side] for side in (x, y))
    return {
        **general_reference(prediction, target),
        "mse_ratio": ((x - y) ** 2).mean() / ((gray - y) ** 2).mean(),
        "delta_e": skimage.color.deltaE_ciede2000(*labs, channel_axis=1).mean(),
        "psnr_ab": 10 * np.log10(220**2 / ((labs[0] - labs[1])[:, 1:] ** 2).mean()),
        "ab_sliced_wasserstein": sliced_wasserstein_reference(*(lab[:, 1:] for lab in labs)),
        "colorfulness": float(np.mean(predicted)),
        "colorfulness_ratio": float(np.mean(predicted) / np.mean(true)),
    }


def test_metrics_over_unequal_batches() -> None:
    got = values(color_metrics(), BATCHES)
    assert got == pytest.approx(reference(*POOLED), rel=1e-4)
    assert abs(got["psnr_per_image"] - got["psnr"]) > 1  # not the same thing


def test_gray_metrics_are_those_of_one_channel() -> None:
    prediction, target = POOLED[0][:, :1], POOLED[1][:, :1]
    expected = general_reference(prediction, target)
    got = values(gray_metrics("floor/"), [(prediction, target)])
    assert got == pytest.approx({f"floor/{name}": value for name, value in expected.items()}, rel=1e-4)
    three = (prediction.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1))
    assert values(gray_metrics("floor/"), [three]) == pytest.approx(got, rel=1e-4)


def test_which_way_is_better() -> None:
    """By this W&B and sweeps are told the best of a run."""
    found = {name: metric.higher_is_better for name, metric in color_metrics().items()}
    assert [name for name, better in found.items() if better] == ["psnr", "psnr_ab", "psnr_per_image", "ssim"]
    assert [name for name, better in found.items() if better is None] == ["colorfulness", "colorfulness_ratio"]


def test_a_collection_gives_what_each_metric_gives_alone() -> None:
    together = values(color_metrics("val/"), BATCHES)
    for name in together:
        alone = color_metrics("val/")[name]
        update(alone, BATCHES)
        assert together[name] == pytest.approx(alone.compute().item(), rel=1e-6), name


def test_a_new_epoch_starts_at_nothing() -> None:
    metrics = color_metrics()
    update(metrics, BATCHES[1:])
    metrics.reset()
    assert values(metrics, BATCHES[:1]) == pytest.approx(values(color_metrics(), BATCHES[:1]), rel=1e-6)


def test_two_replicas_merge_to_the_pooled_result() -> None:
    first, second, pooled = color_metrics(), color_metrics(), values(color_metrics(), BATCHES)
    update(first, BATCHES[:1])
    update(second, BATCHES[1:])
    for name, expected in pooled.items():
        metric = first[name]
        metric.merge_state(second[name])
        assert metric.compute().item() == pytest.approx(expected, rel=1e-5), name


@pytest.mark.parametrize("as_seen", [Tensor.double, lambda x: x.contiguous(memory_format=torch.channels_last)])
def test_neither_autocast_nor_memory_format_matters(as_seen: Callable[[Tensor], Tensor]) -> None:
    expected = values(color_metrics(), BATCHES)
    metrics = color_metrics()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = values(metrics, [(as_seen(prediction), as_seen(target)) for prediction, target in BATCHES])
        of_first_batch = color_metrics()(*map(as_seen, BATCHES[0]))
    assert got == pytest.approx(expected, rel=1e-5)
    assert of_first_batch["ssim"].dtype == torch.float32
    assert of_first_batch == pytest.approx(values(color_metrics(), BATCHES[:1]), rel=1e-5)


@pytest.mark.parametrize("metric", ALONE)
def test_a_metric_alone_computes_in_float32(metric: type[Metric]) -> None:
    short = [side.bfloat16() for side in POOLED]
    expected = metric()(*(side.float() for side in short))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(metric()(*short), expected)


def test_the_gray_floor() -> None:
    target = POOLED[1]
    floor = values(color_metrics(), [(rgb_to_gray(target).expand(-1, 3, -1, -1), target)])
    assert floor["mse_ratio"] == pytest.approx(1)
    chroma = skimage.color.rgb2lab(target.double().numpy(), channel_axis=1)[:, 1:]
    assert floor["psnr_ab"] == pytest.approx(10 * np.log10(220**2 / (chroma**2).mean()), rel=1e-4)  # that of ab = 0
    assert floor["colorfulness"] == 0
    assert floor["colorfulness_ratio"] == 0


def test_a_perfect_prediction() -> None:
    perfect = values(color_metrics(), [(POOLED[1], POOLED[1])])
    assert perfect["ssim"] == pytest.approx(1)
    assert perfect["psnr"] == perfect["psnr_per_image"] == perfect["psnr_ab"] == float("inf")
    assert [perfect[name] for name in ("mse", "mae", "mse_ratio", "delta_e", "ab_sliced_wasserstein")] == [0] * 5
    assert perfect["colorfulness_ratio"] == 1


def test_ssim_is_convolved_without_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    conv, seen = torch.backends.cudnn.conv, []  # type: ignore[attr-defined]
    before = conv.fp32_precision
    assert before != "ieee"

    def fail(*_: Tensor) -> None:
        seen.append(conv.fp32_precision)
        raise RuntimeError("no memory")

    monkeypatch.setattr(StructuralSimilarityIndexMeasure, "update", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        gray_metrics()["ssim"].update(*POOLED)
    assert seen == ["ieee"]
    assert conv.fp32_precision == before


def test_the_smallest_pictures() -> None:
    for size in (6, 8):
        pair = pictures(3, 2, size)
        assert values(color_metrics(), [pair]) == pytest.approx(reference(*pair), rel=1e-4)
    with pytest.raises(ValueError, match=r"at least 6 x 6 pixels, but got torch.float32 \(1, 3, 5, 5\)"):
        color_metrics().update(*pictures(3, 1, size=5))
    with pytest.raises(ValueError, match=r"at least 6 x 6 pixels, but got torch.float32 \(1, 3, 8, 5\)"):
        color_metrics().update(*(side[..., :5] for side in pictures(3, 1, size=8)))
    with pytest.raises(ValueError, match=r"at least 6 x 6 pixels, but got torch.float32 \(3, 8, 8\)"):
        color_metrics().update(*(side[0] for side in pictures(3, 1, size=8)))


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(5, 3, 16, 17),
        torch.zeros(5, 1, 16, 16),
        torch.zeros(1, 3, 16, 16),
        torch.zeros(5, 3, 16, 16, dtype=torch.uint8),
    ],
    ids=["size", "channels", "batch", "dtype"],
)
def test_unequal_pictures_are_refused(wrong: Tensor) -> None:
    right = BATCHES[0][1]
    for pair in ((wrong, right), (right, wrong)):
        with pytest.raises(ValueError, match=r"^Metrics compare two float tensors"):
            color_metrics().update(*pair)
        for compare in (MSERatio().update, DeltaE().update, delta_e):
            with pytest.raises(ValueError, match="must be"):
                compare(*pair)
