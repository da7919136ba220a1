"""The metrics in Lab against closed forms, and the share out of gamut from a task's own prediction."""

import math

import pytest
import torch
from torch import Tensor
from torchmetrics.utilities import dim_zero_sum

from colorize.color import lab_to_rgb, rgb_to_gray, rgb_to_lab
from colorize.metrics import OutOfGamut, PSNRab, SlicedWasserstein, color_metrics, lab_metrics
from colorize.metrics.lab import ab_histogram, sliced_wasserstein


def colors(*ab: tuple[float, float], lightness: float = 50) -> Tensor:
    """Lab (1, 3, 1, N): a pixel of each colour."""
    return torch.tensor([[lightness, a, b] for a, b in ab]).float().T[None, :, None]


def distance(first: Tensor, second: Tensor) -> float:
    return sliced_wasserstein(ab_histogram(first), ab_histogram(second)).item()


@pytest.mark.parametrize("shift", [(7, 0), (0, -12), (3, 4), (-20, 21), (110, -110)])
def test_moving_one_colour_costs_two_pi_ths_of_the_way(shift: tuple[float, float]) -> None:
    assert distance(colors((0, 0)), colors(shift)) == pytest.approx(2 / math.pi * math.hypot(*shift), rel=4e-3)


def test_moving_every_colour_costs_the_same() -> None:
    ab = torch.randint(-40, 40, (2, 3, 20, 20), generator=torch.Generator().manual_seed(0)).float()
    moved = ab + torch.tensor([0, 8, -6])[:, None, None]
    assert distance(ab, moved) == pytest.approx(2 / math.pi * 10, rel=4e-3)
    assert distance(moved, ab) == pytest.approx(distance(ab, moved), rel=1e-6)


def test_the_distance_is_of_shares_and_not_of_places() -> None:
    one_of_four = distance(colors((10, 0), (10, 0), (10, 0), (20, 0)), colors((10, 0)))
    assert one_of_four == pytest.approx(2 / math.pi * 10 / 4, rel=4e-3)
    assert distance(colors((10, 0), (20, 5)), colors((20, 5), (10, 0))) == 0
    assert distance(colors((10, 0), (20, 5)), colors(*[(10, 0), (20, 5)] * 3)) == pytest.approx(0, abs=1e-6)


def test_there_is_no_distance_to_nothing() -> None:
    nothing, gray = torch.zeros(221, 221, dtype=torch.long), ab_histogram(colors((0, 0)))
    for first, second in ((nothing, nothing), (nothing, gray), (gray, nothing)):
        assert sliced_wasserstein(first, second).isnan()


def test_a_histogram_has_a_cell_for_every_color_of_srgb() -> None:
    steps = torch.linspace(0, 1, 18)
    cube = rgb_to_lab(torch.cartesian_prod(steps, steps, steps).T[None, :, None])
    histogram = ab_histogram(cube)
    assert cube[:, 1:].abs().max() < 110
    assert histogram.sum() == 18**3
    assert histogram[110, 110] >= 18  # the grays
    assert ab_histogram(colors((-3, 7))).nonzero().tolist() == [[107, 117]]


def test_predictions_that_are_no_numbers_give_none() -> None:
    truth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    values = color_metrics()(torch.full_like(truth, torch.nan), truth)
    assert values["psnr_ab"].isnan()
    assert values["ab_sliced_wasserstein"].isnan()


def test_lightness_does_not_count_in_psnr_ab() -> None:
    ab = [(10.0, -5.0), (0.0, 20.0)]
    bright, dark = lab_to_rgb(colors(*ab, lightness=70)), lab_to_rgb(colors(*ab))
    assert PSNRab()(bright, dark) > 100
    other = lab_to_rgb(colors((13, -5), (0, 16)))
    assert PSNRab()(other, dark).item() == pytest.approx(10 * math.log10(220**2 / ((9 + 16) / 4)), rel=1e-4)


def test_out_of_gamut_is_pooled_over_pixels() -> None:
    metric = OutOfGamut()
    for ab in ([(0, 0), (5, 5), (110, 0), (0, -110)], [(20, 0)]):
        lab = colors(*ab)
        picture = lab_to_rgb(lab)
        metric.update(picture, picture, lab=lab)
    assert metric.compute().item() == pytest.approx(2 / 5)


def test_a_collection_hands_lab_to_who_asks_for_it() -> None:
    lab = colors(*[(110, 0)] * 64).view(1, 3, 8, 8)
    picture = lab_to_rgb(lab)
    metrics = lab_metrics("test/")
    for _ in range(2):  # the second by way of compute groups
        metrics.update(picture, picture, lab=lab)
    metrics.update(rgb_to_gray(picture).expand(-1, 3, -1, -1), picture)
    assert metrics.compute()["test/out_of_gamut"].item() == pytest.approx(2 / 3)
    assert lab_metrics()(picture, picture, lab=lab)["out_of_gamut"] == 1
    own = PSNRab()
    assert lab_metrics(own=own)["own"] is own


@pytest.mark.parametrize("metric", [PSNRab, SlicedWasserstein, OutOfGamut])
def test_devices_add_up(metric: type[PSNRab | SlicedWasserstein | OutOfGamut]) -> None:
    assert set(metric()._reductions.values()) == {dim_zero_sum}
