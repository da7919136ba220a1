"""The pretrained encoder is timm's to the last digit, and the U-Net on it keeps what every network promises."""

from typing import Any

import pytest
import timm
import torch

from colorize.errors import ColorizeError
from colorize.networks import EncoderUNet, build_network
from colorize.networks.efficientnet import SCALES, EfficientNetLite, SameConv2d, round_channels
from colorize.networks.pretrained import load_encoder_weights


@pytest.mark.parametrize("name", list(SCALES))
def test_features_are_those_of_timm(name: str) -> None:
    torch.manual_seed(0)
    ours = EfficientNetLite(name).eval()
    theirs = timm.create_model(f"tf_{name}", features_only=True).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.rand(2, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        for mine, reference in zip(ours(x), theirs(x), strict=True):
            torch.testing.assert_close(mine, reference, atol=1e-5, rtol=1e-5)
    assert ours.channels == theirs.feature_info.channels()


def test_channels_are_rounded_as_in_tensorflow() -> None:
    assert [round_channels(value) for value in (16, 17.6, 26.4, 44, 4, 33.6)] == [16, 16, 24, 48, 8, 32]


def test_bf16_autocast_on_a_cpu_gives_nearly_what_float32_gives() -> None:
    torch.manual_seed(0)
    network = EncoderUNet(1, 2).eval()
    load_encoder_weights(network, "imagenet")
    x = torch.rand(2, 1, 64, 64) * 2 - 1
    with torch.no_grad():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(x)
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).abs().max() < 0.1 * exact.abs().max()


@pytest.mark.parametrize(
    ("gradients", "frozen", "of_input", "expected"),
    [
        (True, False, False, torch.float32),
        (True, True, True, torch.float32),
        (True, True, False, torch.bfloat16),
        (False, False, True, torch.bfloat16),
    ],
)
def test_a_convolution_whose_gradient_is_slow_in_bf16_is_in_float32_where_there_is_one(
    gradients: bool, frozen: bool, of_input: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    forward = torch.nn.Conv2d.forward

    def watched(self: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        computed.append(forward(self, x))
        return computed[-1]

    monkeypatch.setattr(torch.nn.Conv2d, "forward", watched)
    with torch.set_grad_enabled(gradients), torch.autocast("cpu", torch.bfloat16):
        layer = SameConv2d(4, 4, 5, groups=4).requires_grad_(not frozen)
        layer(torch.rand(1, 4, 8, 8, requires_grad=of_input))
    assert [result.dtype for result in computed] == [expected]


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_gradient(channels: int) -> None:
    network = EncoderUNet(channels, 2, decoder_channels=[8, 8, 4, 4])
    out = network.forward_any_size(torch.rand(2, channels, 40, 70) * 2 - 1)
    assert out.shape == (2, 2, 40, 70)
    out.square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("channels", [1, 3])
def test_upscale_is_a_picture_enlarged_beforehand(channels: int) -> None:
    plain, upscaled = (EncoderUNet(channels, 2, upscale=upscale).eval() for upscale in (1, 2))
    upscaled.load_state_dict(plain.state_dict())
    assert (upscaled.multiple, upscaled.output_stride) == (plain.multiple // 2, plain.output_stride // 2) == (16, 1)
    x = torch.rand(2, channels, 16, 48) * 2 - 1
    with torch.no_grad():
        found, enlarged = upscaled(x), torch.nn.functional.interpolate(x, (32, 96), mode="bilinear")
        assert found.shape == (2, 2, 16, 48)
        assert torch.equal(found, plain(enlarged))


@pytest.mark.parametrize(
    ("arguments", "channels", "words"),
    [
        ({"decoder_channels": [8, 8]}, 1, "must be four numbers"),
        ({"decoder_channels": [8, 8, 8, 0]}, 1, "must be four numbers"),
        ({"upscale": 3}, 1, "upscale is 3, but must be 1 or 2"),
        ({}, 2, "in_channels is 2, but an encoder of photographs is shown 1 or 3"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], channels: int, words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        build_network({"name": "EncoderUNet", **arguments}, channels, 2)
