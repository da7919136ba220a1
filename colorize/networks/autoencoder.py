"""Convolutional autoencoder: everything passes through the bottleneck, there are no skip connections."""

import itertools

from torch import Tensor, nn

from colorize.networks.base import Network
from colorize.networks.blocks import activation_layer, choose, conv_block, norm_layer

DOWNSAMPLINGS = ("max_pool", "strided")
UPSAMPLINGS = ("transposed", "transposed_nearest", "bilinear", "nearest")


class ConvAutoencoder(Network):
    """Encoder of convolutions and max-pooling or strides, decoder of transposed convolutions or upsampling.

    Args:
        in_channels, out_channels: what the target gives and wants.
        width: channels of the first level; each level below has twice as many, up to `max_width`.
        depth: how many times the resolution is halved: the bottleneck is H / 2**depth x W / 2**depth.
        max_width: the most channels of any level.
        norm: "batch", "group", "instance" or "none".
        activation: "relu", "leaky_relu", "elu", "gelu", "silu" or "none".
        downsampling: "max_pool" (then a convolution), or "strided" (a convolution 4x4 of stride 2, which need not lose
            detail).
        upsampling: "transposed" (a transposed convolution of stride 2), "transposed_nearest" (one of stride 1, then
            nearest-neighbour upsampling), "bilinear" or "nearest" (then a convolution).

    Shape: (B, in_channels, H, W) -> (B, out_channels, H, W), H and W multiples of `self.multiple`. The output is
    unbounded.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 32,
        depth: int = 3,
        max_width: int = 512,
        norm: str = "batch",
        activation: str = "relu",
        downsampling: str = "max_pool",
        upsampling: str = "transposed",
    ) -> None:
        super().__init__()
        if min(width, depth, max_width) < 1:
            raise ValueError("width, depth and max_width must be at least 1")
        if depth > 12:
            raise ValueError("depth must be at most 12")
        self.multiple = 2**depth
        widths = [min(width * 2**level, max_width) for level in range(depth + 1)]

        encoder: list[nn.Module] = [conv_block(in_channels, widths[0], norm, activation)]
        for here, below in itertools.pairwise(widths):
            encoder += halve(here, below, norm, activation, downsampling)
        decoder: list[nn.Module] = []
        for below, here in itertools.pairwise(reversed(widths)):
            decoder += double(below, here, norm, activation, upsampling)
        decoder.append(nn.Conv2d(widths[0], out_channels, 3, padding=1))
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.encoder(x))
        return out


def halve(in_channels: int, out_channels: int, norm: str, activation: str, downsampling: str) -> list[nn.Module]:
    """Layers (B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2)."""
    if choose("downsampling", downsampling, DOWNSAMPLINGS) == "max_pool":
        return [nn.MaxPool2d(2), conv_block(in_channels, out_channels, norm, activation)]
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=norm == "none")
    return [convolution, norm_layer(norm, out_channels), activation_layer(activation)]


def double(in_channels: int, out_channels: int, norm: str, activation: str, upsampling: str) -> list[nn.Module]:
    """Layers (B, in_channels, H, W) -> (B, out_channels, 2 H, 2 W)."""
    match choose("upsampling", upsampling, UPSAMPLINGS):
        case "transposed":
            convolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=norm == "none")
            return [convolution, norm_layer(norm, out_channels), activation_layer(activation)]
        case "transposed_nearest":
            convolution = nn.ConvTranspose2d(in_channels, out_channels, 3, padding=1, bias=norm == "none")
            enlarge = nn.Upsample(scale_factor=2)
            return [convolution, norm_layer(norm, out_channels), activation_layer(activation), enlarge]
        case _:
            enlarge = nn.Upsample(scale_factor=2, mode=upsampling)
            return [enlarge, conv_block(in_channels, out_channels, norm, activation)]
