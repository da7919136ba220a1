"""A U-Net whose encoder has learned to recognise what photographs show."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.networks.base import Network
from colorize.networks.blocks import conv_block
from colorize.networks.encoders import build_encoder


class EncoderUNet(Network):
    """A classifier's features, a small decoder to half resolution, where the input itself is joined.

    The deepest features go on beside their global mean, so that every place knows what the whole shows. The output is
    enlarged bilinearly: photographs hold chroma at half resolution anyway (JPEG 4:2:0).

    Args:
        in_channels, out_channels: what the target gives and wants; one channel is shown to the encoder three times.
        encoder: "efficientnet_lite0" to "efficientnet_lite4", or with the extra `timm` one of `timm.list_models()`
            whose features reach 1/32; where it has none at 1/16 to 1/2, the decoder has no skip.
        decoder_channels: of the decoder at 1/16, 1/8, 1/4 and 1/2 of the resolution.

    Shape: (B, in_channels, H, W) -> (B, out_channels, H, W), H and W multiples of 32; the input about in [-1, 1]. The
    output is unbounded.
    """

    multiple = 32

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        encoder: str = "efficientnet_lite0",
        decoder_channels: Sequence[int] = (160, 96, 64, 48),
    ) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            raise ValueError(f"in_channels is {in_channels}, but an encoder of photographs is shown 1 or 3")
        if len(decoder_channels) != 4 or not all(1 <= channels <= 4096 for channels in decoder_channels):
            raise ValueError(f"decoder_channels is {list(decoder_channels)}, but must be four numbers from 1 to 4096")
        self.encoder = build_encoder(encoder)
        *skips, deepest = self.encoder.channels
        self.decoder = nn.ModuleList()
        below = 2 * deepest
        for skip, channels in zip(reversed(skips), decoder_channels, strict=True):
            self.decoder.append(conv_block(below + skip, channels, "batch", "relu"))
            below = channels
        self.unshuffle = nn.PixelUnshuffle(2)
        self.join = conv_block(below + 4 * in_channels, below, "batch", "relu")
        self.head = nn.Conv2d(below, out_channels, 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear")

    def forward(self, x: Tensor) -> Tensor:
        *skips, deepest = self.encoder(x.expand(-1, 3, -1, -1))
        out = torch.cat([deepest, deepest.mean((2, 3), keepdim=True).expand_as(deepest)], dim=1)
        for level, skip in zip(self.decoder, reversed(skips), strict=True):
            out = level(torch.cat([F.interpolate(out, scale_factor=2.0), skip], dim=1))
        out = self.join(torch.cat([out, self.unshuffle(x)], dim=1))
        colors: Tensor = self.upsample(self.head(out))
        return colors
