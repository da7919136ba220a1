"""U-Net: an encoder and a decoder joined by skip connections."""

import itertools

import torch
from torch import Tensor, nn

from colorize.networks.base import Network
from colorize.networks.blocks import conv_block


class UNet(Network):
    """U-Net (Ronneberger, Fischer, Brox 2015) that works at `1 / unshuffle` of the picture's resolution.

    The input is pixel-unshuffled, so that no luminance detail is lost, and the output is at the lower resolution:
    photographs hold chroma at half resolution anyway (JPEG 4:2:0), and the network is about four times faster.

    Args:
        in_channels, out_channels: what the target gives and wants.
        width: channels of the first level; each level below has twice as many, up to `max_width`.
        depth: how many times the resolution is halved inside.
        blocks: convolution blocks at each level of the encoder and of the decoder.
        max_width: the most channels of any level.
        unshuffle: factor of the pixel-unshuffle in front, 1 for none.
        norm: "batch", "group", "instance" or "none".
        activation: "relu", "leaky_relu", "elu", "gelu", "silu" or "none".

    Shape: (B, in_channels, H, W) -> (B, out_channels, H / unshuffle, W / unshuffle), H and W multiples of
    `self.multiple`. The output is unbounded.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 32,
        depth: int = 4,
        blocks: int = 2,
        max_width: int = 512,
        unshuffle: int = 2,
        norm: str = "batch",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if min(width, depth, blocks, max_width, unshuffle) < 1:
            raise ValueError("width, depth, blocks, max_width and unshuffle must be at least 1")
        if depth > 12 or max(blocks, unshuffle) > 64:
            raise ValueError("depth must be at most 12, blocks and unshuffle at most 64")
        self.multiple = unshuffle * 2**depth
        self.output_stride = unshuffle
        widths = [min(width * 2**level, max_width) for level in range(depth + 1)]

        def level(channels_in: int, channels_out: int) -> nn.Sequential:
            channels = [channels_in] + [channels_out] * blocks
            return nn.Sequential(*(conv_block(a, b, norm, activation) for a, b in itertools.pairwise(channels)))

        self.unshuffle = nn.PixelUnshuffle(unshuffle)
        self.encoder = nn.ModuleList(level(a, b) for a, b in itertools.pairwise([in_channels * unshuffle**2, *widths]))
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(below, here, 2, stride=2) for below, here in itertools.pairwise(reversed(widths))
        )
        self.decoder = nn.ModuleList(level(2 * here, here) for here in reversed(widths[:-1]))
        self.head = nn.Conv2d(widths[0], out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.unshuffle(x)
        skips: list[Tensor] = []
        for level in self.encoder[:-1]:
            x = level(x)
            skips.append(x)
            x = self.pool(x)
        x = self.encoder[-1](x)
        for up, level, skip in zip(self.up, self.decoder, reversed(skips), strict=True):
            x = level(torch.cat([up(x), skip], dim=1))
        out: Tensor = self.head(x)
        return out
