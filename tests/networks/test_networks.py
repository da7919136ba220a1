"""Networks: shapes, gradients, and what they refuse."""

import math

import pytest
import torch
from torch import nn

from colorize.networks import ConvAutoencoder, ConvNet, Network, UNet
from colorize.networks.base import enlarge, shrink


def convolutional() -> list[Network]:
    return [
        UNet(1, 2, width=4, depth=1, unshuffle=1),
        UNet(1, 2, width=4, depth=3, unshuffle=2, max_width=8, blocks=1, norm="group", activation="silu"),
        UNet(1, 2, width=6, depth=2, norm="none", activation="gelu"),
        UNet(1, 2, width=4, depth=1, unshuffle=4),
        UNet(1, 2, width=8, depth=2, max_width=4),
        ConvAutoencoder(1, 2, width=4, depth=1),
        ConvAutoencoder(1, 2, width=8, depth=2, max_width=4),
        ConvAutoencoder(1, 2, width=4, depth=3, max_width=8, upsampling="bilinear", norm="instance"),
        ConvAutoencoder(1, 2, width=4, depth=2, upsampling="nearest", norm="none", activation="elu"),
        ConvAutoencoder(1, 2, width=4, depth=2, downsampling="strided", upsampling="transposed_nearest"),
    ]


@pytest.mark.parametrize("network", convolutional(), ids=lambda network: type(network).__name__)
def test_the_output_is_as_much_smaller_as_stated_and_every_parameter_learns(network: Network) -> None:
    height, width = 2 * network.multiple, 3 * network.multiple
    y = network(torch.randn(2, 1, height, width))
    assert y.shape == (2, 2, height // network.output_stride, width // network.output_stride)
    y.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("size", [(1, 9), (9, 12), (33, 2)])
@pytest.mark.parametrize("network", convolutional(), ids=lambda network: type(network).__name__)
def test_a_picture_of_any_size_comes_back_at_its_size(network: Network, size: tuple[int, int]) -> None:
    network.eval()
    x = torch.randn(2, 1, *size)
    coarse = network.forward_coarse(x)
    assert coarse.shape == (2, 2, *(math.ceil(side / network.output_stride) for side in size))
    full = network.forward_any_size(x)
    assert full.shape == (2, 2, *size)
    assert torch.equal(full, enlarge(coarse, network.output_stride, size))


def test_enlarging_is_bilinear_and_shrinking_the_mean_of_each_cell() -> None:
    ramp = torch.arange(12.0).expand(1, 1, 9, 12)
    assert torch.equal(shrink(ramp, 1), ramp)
    assert shrink(ramp, 2)[0, 0].tolist() == [[0.5, 2.5, 4.5, 6.5, 8.5, 10.5]] * 5
    back = enlarge(shrink(ramp, 2), 2, (9, 12))
    assert torch.equal(back[..., 1:-1], ramp[..., 1:-1])
    assert shrink(torch.tensor([[[[1.0, 2, 6]]]]), 2).tolist() == [[[[1.5, 6]]]]  # the border is repeated
    assert shrink(torch.full((1, 1, 1, 1), 3.0), 4).tolist() == [[[[3]]]]


def test_unet_passes_detail_through_its_skip_connections() -> None:
    """With everything below the first level silenced, the output still depends on the input."""
    torch.manual_seed(0)
    network = UNet(1, 1, width=4, depth=2, unshuffle=1, norm="none").eval()
    for up in network.up:
        nn.init.zeros_(up.weight)
        nn.init.zeros_(up.bias)
    a, b = network(torch.zeros(1, 1, 8, 8)), network(torch.randn(1, 1, 8, 8))
    assert (a - b).abs().max() > 1e-4


def test_autoencoder_passes_nothing_around_its_bottleneck() -> None:
    network = ConvAutoencoder(1, 1, width=4, depth=2, norm="none").eval()
    last = [layer for layer in network.encoder.modules() if isinstance(layer, nn.Conv2d)][-1]
    nn.init.zeros_(last.weight)
    assert torch.equal(network(torch.zeros(1, 1, 8, 8)), network(torch.randn(1, 1, 8, 8)))


def test_convnet_at_32_has_exactly_the_published_layers() -> None:
    network = ConvNet(1, 3, image_size=32)
    assert [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim > 1] == [
        (16, 1, 3, 3),
        (32, 16, 3, 3),
        (512, 32 * 7 * 7),
        (3072, 512),
    ]
    kinds = [type(layer).__name__ for layer in network.modules() if not list(layer.children())]
    assert [kind for kind in kinds if kind != "Identity"] == (
        ["Conv2d", "MaxPool2d", "Conv2d", "MaxPool2d", "Flatten", "Linear", "ReLU", "Linear", "Sigmoid", "Unflatten"]
    )
    y = network(torch.randn(2, 1, 32, 32))
    assert y.shape == (2, 3, 32, 32)
    assert 0 <= y.min() <= y.max() <= 1


def test_cae_of_cifar10_transposes_normalises_activates_and_upsamples() -> None:
    network = ConvAutoencoder(1, 3, width=4, depth=2, upsampling="transposed_nearest")
    kinds = [type(layer).__name__ for layer in network.decoder]
    assert kinds == ["ConvTranspose2d", "BatchNorm2d", "ReLU", "Upsample"] * 2 + ["Conv2d"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: UNet(1, 2, depth=0), "at least 1"),
        (lambda: UNet(1, 2, max_width=0), "at least 1"),
        (lambda: UNet(1, 2, norm="layer"), "norm is 'layer'"),
        (lambda: UNet(1, 2, activation="tanhh"), "activation is 'tanhh'"),
        (lambda: ConvAutoencoder(1, 2, upsampling="bicubic"), "upsampling is 'bicubic'"),
        (lambda: ConvAutoencoder(1, 2, downsampling="mean"), "downsampling is 'mean'"),
        (lambda: ConvAutoencoder(1, 2, width=0), "at least 1"),
        (lambda: ConvAutoencoder(1, 2, max_width=0), "at least 1"),
        (lambda: ConvNet(1, 3, image_size=7), "at least 8"),
        (lambda: ConvNet(1, 3, image_size=8, hidden=0), "hidden is 0, but must be at least 1"),
        (lambda: ConvNet(1, 3, image_size=8, hidden=-1), "hidden is -1, but must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=words):
        make()
