"""Targets of bins: a distribution at the network's resolution becomes a picture at the input's, and a file keeps it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from colorize.color import colorfulness, rgb_to_lab
from colorize.color.bins import bin_centers, color_noise
from colorize.errors import ColorizeError
from colorize.networks import Network, build_network
from colorize.networks.base import shrink
from colorize.targets import LabBinsTarget, LabHybridTarget, LabTarget, build_target
from colorize.weights.exported import read_exported, write_exported
from colorize.weights.model import Model, rebuild_model

KINDS = [LabBinsTarget, LabHybridTarget]
STRIDES = [1, 2]


def make_network(target: LabTarget, stride: int = 2) -> Network:
    torch.manual_seed(0)
    spec = {"name": "UNet", "width": 4, "depth": 1, "unshuffle": stride}
    return build_network(spec, target.in_channels, target.out_channels).eval()


def sure_of(ab: Tensor, target: LabBinsTarget) -> Tensor:
    """Peaked logits (B, out_channels, h, w) whose likeliest bin is the nearest to ab (B, 2, h, w)."""
    distances = (ab[:, None] - bin_centers(target.grid)[:, :, None, None]).norm(dim=2)
    bins = -distances.square() / (2 * 5**2)
    return torch.cat([torch.zeros(len(ab), target.bins_from, *ab.shape[2:]), bins], dim=1)


@pytest.fixture
def rgb() -> Tensor:
    return torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("target", [kind(*fields) for kind in KINDS for fields in ((), ("lab", 25, 0.5))], ids=str)
def test_what_a_file_keeps_of_it_makes_it_again(target: LabBinsTarget) -> None:
    kept = json.loads(json.dumps(target.describe(), allow_nan=False))
    assert build_target(kept) == target
    assert {key: type(value) for key, value in kept.items()} == {
        "name": str,
        "luminance": str,
        "grid": int,
        "temperature": float,
    }


def test_it_sees_what_a_lab_target_sees(rgb: Tensor) -> None:
    for luminance in ("gray", "lab"):
        for kind in KINDS:
            assert torch.equal(kind(luminance).see(rgb), LabTarget(luminance).see(rgb))
            assert torch.equal(kind(luminance).target({"rgb": rgb}), rgb_to_lab(rgb)[:, 1:] / 110)


def test_its_channels_are_the_bins_of_its_grid() -> None:
    assert (LabBinsTarget().out_channels, LabHybridTarget().out_channels) == (225, 227)
    assert LabBinsTarget(grid=25).out_channels == len(bin_centers(25)) == LabHybridTarget(grid=25).out_channels - 2
    assert not LabBinsTarget().at_full_size
    assert (LabBinsTarget().temperature, LabHybridTarget().temperature) == (0.38, 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (8, 8), (9, 11), (10, 7), (64, 34)])
@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_any_size_comes_back_at_its_size(
    kind: type[LabBinsTarget], stride: int, size: tuple[int, int]
) -> None:
    target = kind(temperature=0.5)
    x = target.see(torch.rand(2, 3, *size))
    with torch.no_grad():
        prediction = target.predict(make_network(target, stride), x)
    assert prediction.shape == (2, target.out_channels, -(-size[0] // stride), -(-size[1] // stride))
    assert target.to_ab(x, prediction).shape == target.to_ab(x, prediction, 0.1, seed=1).shape == (2, 2, *size)
    assert target.deviation(x, prediction).shape == (2, 1, *size)
    picture = target.to_rgb(x, prediction)
    assert picture.shape == (2, 3, *size)
    assert 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("size", [(9, 12), (12, 9), (33, 33), (16, 20), (2, 12)])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_colour_stays_where_it_is(stride: int, size: tuple[int, int]) -> None:
    """A ramp of colours through a prediction at the network's resolution is that ramp again, but for its ends."""
    target = LabHybridTarget()
    ab = (torch.linspace(-0.5, 0.5, size[1]).expand(1, 2, *size)).contiguous()
    prediction = torch.cat([shrink(ab, stride).atanh(), torch.zeros(1, 225, *shrink(ab, stride).shape[2:])], dim=1)
    found = target.to_ab(torch.zeros(1, 1, *size), prediction) / 110
    inner = slice(stride, -stride - 1)
    torch.testing.assert_close(found[..., inner], ab[..., inner], atol=1e-5, rtol=0)


@pytest.mark.parametrize("stride", STRIDES)
def test_a_perfect_distribution_is_the_picture(stride: int) -> None:
    colors = torch.tensor([[30.0, 40], [-20, 30], [0, 0], [10, -30]])
    ab = colors.T[None, :, None].repeat_interleave(4, 3).repeat(1, 1, 6, 1)
    target = LabBinsTarget(temperature=0.1)
    found = target.to_ab(torch.zeros(1, 1, *ab.shape[2:]), sure_of(shrink(ab, stride), target))
    torch.testing.assert_close(found[..., 1::4], ab[..., 1::4], atol=8.0 if stride == 2 else 0.1, rtol=0)


def test_a_hybrid_at_one_is_the_regression(rgb: Tensor) -> None:
    target, plain = LabHybridTarget(), LabTarget()
    x = target.see(rgb)
    prediction = 2 * torch.randn(2, 227, 9, 11, generator=torch.Generator().manual_seed(1))
    regressed = plain.bound(prediction[:, :2])
    assert torch.equal(target.to_ab(x, prediction), plain.to_ab(x, regressed))
    assert torch.equal(target.to_rgb(x, prediction), plain.to_rgb(x, regressed))
    lower = target.to_ab(x, prediction, 0.3)
    bins = LabBinsTarget()
    moved = bins.to_ab(x, prediction[:, 2:], 0.3) - bins.to_ab(x, prediction[:, 2:], 1.0)
    torch.testing.assert_close(lower, plain.to_ab(x, regressed) + moved, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lower_temperature_is_more_colourful(kind: type[LabBinsTarget]) -> None:
    """Where a colour is likelier than its opposite, the mean is muted and the mode is not."""
    target, x = kind(), torch.zeros(1, 1, 8, 8)
    strong = torch.tensor([20.0, 20]).view(1, 2, 1, 1).expand(1, 2, 8, 8) * (torch.arange(8) % 2 * 2 - 1)
    prediction = torch.logaddexp(sure_of(strong, target) + 1, sure_of(-strong, target))
    if kind is LabHybridTarget:
        prediction[:, :2] = 0
    found = []
    for temperature in (1.0, 0.5, 0.2, 0.05):
        ab = target.to_ab(x, prediction, temperature)
        found.append(colorfulness(kind(temperature=temperature).to_rgb(x, prediction)).item())
        assert ab.norm(dim=1).max() < 30
    assert found == sorted(found)
    assert found[-1] > 1.3 * found[0] + 1


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_give_colourings_that_repeat_and_differ(kind: type[LabBinsTarget], rgb: Tensor) -> None:
    target = kind(temperature=0.2)
    x, prediction = target.see(rgb), torch.zeros(2, target.out_channels, 9, 11)
    first, again, other = (target.to_ab(x, prediction, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 5
    assert (first - first[:1, :, :1, :1]).abs().max() < 1e-3  # what is alike has one colour, all over
    assert (target.to_ab(x, prediction) - first).abs().max() > 5


@pytest.mark.parametrize(
    ("own", "given", "seed", "expected"),
    [(0.38, None, None, 0.38), (1.0, None, 1, 0.5), (0.2, None, 1, 0.2), (1.0, 0.9, 1, 0.9), (0.2, 0.9, None, 0.9)],
)
def test_a_sample_is_of_the_distribution_at_its_temperature(
    own: float, given: float | None, seed: int | None, expected: float
) -> None:
    """Its noise is added to what is sharpened: softmax(logits / T + noise)."""
    logits = 2 * torch.randn(1, 225, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    noise = 0 if seed is None else color_noise(10, seed).double()[:, None, None]
    shares = (logits / expected + noise).softmax(1)
    ab = torch.einsum("bqhw,qc->bchw", shares, bin_centers(10).double()).float()
    found = LabBinsTarget(temperature=own).decode(logits.float(), given, seed)
    torch.testing.assert_close(found, ab, atol=1e-3, rtol=0)
    prediction = torch.cat([torch.full((1, 2, 2, 3), 0.2), logits.float()], dim=1)
    moved = ab - torch.einsum("bqhw,qc->bchw", logits.softmax(1), bin_centers(10).double()).float()
    found = LabHybridTarget(temperature=own).decode(prediction, given, seed)
    torch.testing.assert_close(found, 110 * math.tanh(0.2) + moved, atol=1e-3, rtol=0)


def test_a_sample_at_one_is_no_regression() -> None:
    prediction = torch.zeros(1, 227, 2, 3)
    assert LabHybridTarget().decode(prediction, 1.0, seed=1).abs().max() > 1


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_around_it_costs_nothing(kind: type[LabBinsTarget], rgb: Tensor) -> None:
    target = kind(temperature=0.3)
    prediction = torch.randn(2, target.out_channels, 5, 6).bfloat16()
    x = target.see(rgb)
    exact = target.to_rgb(x, prediction.float())
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(target.to_rgb(target.see(rgb), prediction), exact, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"grid": 3}, "model.grid is 3, but must be a whole number from 4 to 50."),
        ({"grid": 51}, "model.grid is 51"),
        ({"grid": 10.0}, "model.grid is 10.0"),
        ({"grid": "10"}, "model.grid is '10'"),
        ({"grid": None}, "model.grid is None"),
        ({"temperature": 0}, "model.temperature is 0, but must be above 0 and at most 10."),
        ({"temperature": -1.0}, "model.temperature is -1.0"),
        ({"temperature": 11}, "model.temperature is 11"),
        ({"temperature": float("nan")}, "model.temperature is nan"),
        ({"temperature": "hot"}, "model.temperature is 'hot'"),
        ({"temperature": True}, "model.temperature is True"),
        ({"luminance": "red"}, "model.luminance is 'red'"),
        ({"bins": 3}, "unexpected keyword argument 'bins'"),
    ],
)
def test_a_field_that_cannot_be_is_refused(kind: type[LabBinsTarget], fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ColorizeError) as caught:
        build_target({"name": kind.__name__, **fields})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_files_give_the_same_model_again(kind: type[LabBinsTarget], tmp_path: Path, rgb: Tensor) -> None:
    target = kind(temperature=0.4, grid=20)
    model = Model(target, make_network(target))
    write_exported(tmp_path / "own.safetensors", model, {"image_size": 32}, torch.float32)
    exported, _ = read_exported(tmp_path / "own.safetensors")
    state = {f"network.{name}": tensor for name, tensor in model.network.state_dict().items()}
    rebuilt = rebuild_model(tmp_path, target.describe(), dict(model.network.spec), state)
    x = target.see(rgb)
    with torch.no_grad():
        expected = target.to_rgb(x, target.predict(model.network, x))
        for again in (exported, rebuilt):
            assert again.target == target
            assert torch.equal(again.target.to_rgb(x, again.target.predict(again.network, x)), expected)


def test_another_grids_weights_are_refused(tmp_path: Path) -> None:
    network = make_network(LabBinsTarget(grid=20))
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    with pytest.raises(ColorizeError, match="its weights are not those of"):
        rebuild_model(tmp_path, LabBinsTarget(grid=10).describe(), dict(network.spec), state)


def test_networks_have_the_tensors_that_files_from_before_hold() -> None:
    """Their enlarged output never had any."""
    unet = build_network({"name": "UNet", "width": 4, "depth": 1, "blocks": 1, "norm": "none"}, 1, 2).state_dict()
    names = ["encoder.0.0.0", "encoder.1.0.0", "up.0", "decoder.0.0.0", "head"]
    assert sorted(unet) == sorted(f"{name}.{kind}" for name in names for kind in ("weight", "bias"))
    encoder_unet = build_network({"name": "EncoderUNet"}, 1, 2).state_dict()
    assert {name.split(".")[0] for name in encoder_unet} == {"encoder", "decoder", "join", "head"}
