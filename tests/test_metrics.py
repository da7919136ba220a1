from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import skimage.color
import skimage.filters
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from colorize.color import rgb_to_gray
from colorize.metrics import (
    Colorfulness,
    ColorfulnessRatio,
    DeltaE,
    MSERatio,
    color_metrics,
    colorfulness,
    delta_e,
    gray_metrics,
)

Array = npt.NDArray[np.float64]

# Lab, Lab, CIEDE2000: table 1 of Sharma, Wu, Dalal 2005.
SHARMA = np.loadtxt(
    """
    50.0000   2.6772 -79.7751  50.0000   0.0000 -82.7485  2.0425
    50.0000   3.1571 -77.2803  50.0000   0.0000 -82.7485  2.8615
    50.0000   2.8361 -74.0200  50.0000   0.0000 -82.7485  3.4412
    50.0000  -1.3802 -84.2814  50.0000   0.0000 -82.7485  1.0000
    50.0000  -1.1848 -84.8006  50.0000   0.0000 -82.7485  1.0000
    50.0000  -0.9009 -85.5211  50.0000   0.0000 -82.7485  1.0000
    50.0000   0.0000   0.0000  50.0000  -1.0000   2.0000  2.3669
    50.0000  -1.0000   2.0000  50.0000   0.0000   0.0000  2.3669
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0009  7.1792
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0010  7.1792
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0011  7.2195
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0012  7.2195
    50.0000  -0.0010   2.4900  50.0000   0.0009  -2.4900  4.8045
    50.0000  -0.0010   2.4900  50.0000   0.0010  -2.4900  4.8045
    50.0000  -0.0010   2.4900  50.0000   0.0011  -2.4900  4.7461
    50.0000   2.5000   0.0000  50.0000   0.0000  -2.5000  4.3065
    50.0000   2.5000   0.0000  73.0000  25.0000 -18.0000 27.1492
    50.0000   2.5000   0.0000  61.0000  -5.0000  29.0000 22.8977
    50.0000   2.5000   0.0000  56.0000 -27.0000  -3.0000 31.9030
    50.0000   2.5000   0.0000  58.0000  24.0000  15.0000 19.4535
    50.0000   2.5000   0.0000  50.0000   3.1736   0.5854  1.0000
    50.0000   2.5000   0.0000  50.0000   3.2972   0.0000  1.0000
    50.0000   2.5000   0.0000  50.0000   1.8634   0.5757  1.0000
    50.0000   2.5000   0.0000  50.0000   3.2592   0.3350  1.0000
    60.2574 -34.0099  36.2677  60.4626 -34.1751  39.4387  1.2644
    63.0109 -31.0961  -5.8663  62.8187 -29.7946  -4.0864  1.2630
    61.2901   3.7196  -5.3901  61.4292   2.2480  -4.9620  1.8731
    35.0831 -44.1164   3.7933  35.0232 -40.0716   1.5901  1.8645
    22.7233  20.0904 -46.6940  23.0331  14.9730 -42.5619  2.0373
    36.4612  47.8580  18.3852  36.2715  50.5065  21.2231  1.4146
    90.8027  -2.0831   1.4410  91.1528  -1.6435   0.0447  1.4441
    90.9257  -0.5406  -0.9208  88.6381  -0.8985  -0.7239  1.5381
     6.7747  -0.2908  -2.4247   5.8714  -0.0985  -2.2286  0.6377
     2.0776   0.0795  -1.1350   0.9033  -0.0636  -0.5514  0.9082
    """.splitlines()
)


def colors(lab: Array) -> Tensor:
    """Lab rows (N, 3) as float32 (1, 3, 1, N)."""
    return torch.from_numpy(lab).float().T[None, :, None]


def lab_floats() -> st.SearchStrategy[list[float]]:
    return st.tuples(st.floats(0, 100), st.floats(-128, 127), st.floats(-128, 127)).map(list)


def pictures(seed: int, count: int, size: int = 16) -> tuple[Tensor, Tensor]:
    """Predictions and their noisy truth, unlike from picture to picture: float32 (count, 3, size, size)."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, 3, size, size)) * rng.random((count, 3, 1, 1))
    noise = rng.normal(size=truth.shape) * rng.random((count, 1, 1, 1)) * 0.2
    return torch.from_numpy(np.clip(truth + noise, 0, 1)).float(), torch.from_numpy(truth).float()


BATCHES = [pictures(0, 5), pictures(1, 2), pictures(2, 1)]
POOLED = tuple(torch.cat(side) for side in zip(*BATCHES, strict=True))


def update(metrics: Metric | MetricCollection, batches: list[tuple[Tensor, Tensor]]) -> None:
    for prediction, target in batches:
        metrics.update(prediction, target)


def values(metrics: MetricCollection, batches: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    update(metrics, batches)
    return {name: value.item() for name, value in metrics.compute().items()}


def colorfulness_reference(rgb: Array) -> float:
    red, green, blue = 255 * rgb
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


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


def reference(prediction: Tensor, target: Tensor) -> dict[str, float]:
    x, y = prediction.double().numpy(), target.double().numpy()
    gray = np.tensordot([0.299, 0.587, 0.114], y, axes=(0, 1))[:, None]  # (B, 1, H, W)
    labs = [skimage.color.rgb2lab(rgb, channel_axis=1) for rgb in (x, y)]
    predicted, true = ([colorfulness_reference(rgb) for rgb in side] for side in (x, y))
    return {
        **general_reference(prediction, target),
        "mse_ratio": ((x - y) ** 2).mean() / ((gray - y) ** 2).mean(),
        "delta_e": skimage.color.deltaE_ciede2000(*labs, channel_axis=1).mean(),
        "colorfulness": float(np.mean(predicted)),
        "colorfulness_ratio": float(np.mean(predicted) / np.mean(true)),
    }


def test_delta_e_of_the_published_pairs() -> None:
    first, second, expected = SHARMA[:, :3], SHARMA[:, 3:6], SHARMA[:, 6]
    np.testing.assert_allclose(skimage.color.deltaE_ciede2000(first, second), expected, atol=1e-4)
    np.testing.assert_allclose(delta_e(colors(first), colors(second)).flatten(), expected, atol=1e-4)
    np.testing.assert_allclose(delta_e(colors(second), colors(first)).flatten(), expected, atol=1e-4)


def test_delta_e_equals_that_of_skimage() -> None:
    rgb = np.random.default_rng(0).random((2, 50, 100, 3))
    lab1, lab2 = skimage.color.rgb2lab(rgb)
    lab2[25:] = lab1[25:] + (lab2[25:] - 50) / 50  # near colours too
    got = delta_e(*(torch.from_numpy(lab).permute(2, 0, 1)[None] for lab in (lab1, lab2)))
    assert got.shape == (1, 50, 100)
    np.testing.assert_allclose(got[0], skimage.color.deltaE_ciede2000(lab1, lab2), atol=5e-4)


@given(lab_floats(), lab_floats())
def test_delta_e_is_a_symmetric_difference(first: list[float], second: list[float]) -> None:
    x, y = colors(np.array([first])), colors(np.array([second]))
    there, back = delta_e(x, y), delta_e(y, x)
    assert torch.isfinite(there).all()
    assert (there >= 0).all()
    torch.testing.assert_close(there, back, atol=1e-3, rtol=0)
    assert delta_e(x, x).item() == 0


def test_delta_e_of_opposite_hues_takes_the_mean_of_their_angles() -> None:
    hue = np.radians(np.arange(0.5, 180))

    def of_angle(angle: Array) -> Array:
        other = hue + angle
        first = np.stack([np.full_like(hue, 50), np.cos(hue), np.sin(hue)], axis=1)
        second = np.stack([np.full_like(hue, 50), np.cos(other), np.sin(other)], axis=1)
        return delta_e(colors(first), colors(second)).double().numpy()

    opposite, within, beyond = (of_angle(np.full_like(hue, np.pi + more)) for more in (0, -1e-5, 1e-5))
    np.testing.assert_allclose(opposite, within, atol=1e-4)
    assert abs(beyond - within).max() > 0.01  # where a half turn is passed, the formula jumps


def test_delta_e_of_grays() -> None:
    grays = colors(np.array([[0, 0, 0], [50, -0.0, -0.0], [50, 0, -0.0], [100, 1e-30, -1e-30]]))
    white = colors(np.array([[100, 0, 0]])).expand_as(grays)
    expected = skimage.color.deltaE_ciede2000(*(x[0, :, 0].T.double().numpy() for x in (grays, white)))
    np.testing.assert_allclose(delta_e(grays, white).flatten(), expected, atol=1e-4)


def test_colorfulness_is_that_of_the_paper() -> None:
    expected = [colorfulness_reference(rgb) for rgb in POOLED[0].double().numpy()]
    np.testing.assert_allclose(colorfulness(POOLED[0]), expected, rtol=1e-5)


def test_colorfulness_in_closed_form() -> None:
    red, green = torch.zeros(2, 3, 1, 2)
    red[0] = 1
    green[1, 0, 1] = 1
    green[0, 0, 0] = 1
    # All red: no deviation, means (255, 127.5). Half red, half green: rg is ±255, yb is 127.5 everywhere.
    expected = torch.tensor([0.3 * 255 * 1.25**0.5, 255 + 0.3 * 127.5])
    torch.testing.assert_close(colorfulness(torch.stack([red, green])), expected)
    assert colorfulness(torch.rand(1, 1, 4, 4).expand(-1, 3, -1, -1)).item() == 0


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


@pytest.mark.parametrize("metric", [MSERatio, DeltaE, Colorfulness, ColorfulnessRatio])
def test_a_metric_alone_computes_in_float32(metric: type[MSERatio | DeltaE | Colorfulness]) -> None:
    short = [side.bfloat16() for side in POOLED]
    expected = metric()(*(side.float() for side in short))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(metric()(*short), expected)


def test_functions_compute_in_float32() -> None:
    short = [side.bfloat16() for side in POOLED]
    assert torch.equal(delta_e(*short), delta_e(*(side.float() for side in short)))
    assert torch.equal(colorfulness(short[0]), colorfulness(short[0].float()))


def test_the_gray_floor() -> None:
    target = POOLED[1]
    floor = values(color_metrics(), [(rgb_to_gray(target).expand(-1, 3, -1, -1), target)])
    assert floor["mse_ratio"] == pytest.approx(1)
    assert floor["colorfulness"] == 0
    assert floor["colorfulness_ratio"] == 0


def test_a_perfect_prediction() -> None:
    perfect = values(color_metrics(), [(POOLED[1], POOLED[1])])
    assert perfect["ssim"] == pytest.approx(1)
    assert perfect["psnr"] == perfect["psnr_per_image"] == float("inf")
    assert [perfect[name] for name in ("mse", "mae", "mse_ratio", "delta_e")] == [0, 0, 0, 0]
    assert perfect["colorfulness_ratio"] == 1


def test_the_smallest_pictures() -> None:
    pair = pictures(3, 2, size=8)
    assert values(color_metrics(), [pair]) == pytest.approx(reference(*pair), rel=1e-4)
    with pytest.raises(ValueError, match=r"at least 6 x 6 pixels, but got torch.float32 \(1, 3, 5, 5\)"):
        color_metrics().update(*pictures(3, 1, size=5))


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(5, 3, 16, 17), torch.zeros(5, 1, 16, 16), torch.zeros(5, 3, 16, 16, dtype=torch.uint8)],
    ids=["size", "channels", "dtype"],
)
def test_unequal_pictures_are_refused(wrong: Tensor) -> None:
    for compare in (color_metrics().update, MSERatio().update, DeltaE().update, delta_e):
        with pytest.raises(ValueError, match=r"must be|compare"):
            compare(wrong, BATCHES[0][1])
