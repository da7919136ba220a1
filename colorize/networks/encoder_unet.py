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

    The deepest features go on beside their global mean, so that every place knows what the whole shows. The output
    stays at half resolution, as the chroma of photographs does anyway (JPEG 4:2:0).

    Args:
        in_channels, out_channels: what the target gives and wants; one channel is shown to the encoder three times.
        encoder: "efficientnet_lite0" to "efficientnet_lite4", or with the extra `timm` one of `timm.list_models()`
            whose features reach 1/32; where it has none at 1/16 to 1/2, the decoder has no skip.
        decoder_channels: of the decoder at 1/16, 1/8, 1/4 and 1/2 of the resolution.
        upscale: 1, or 2 for small pictures: they are enlarged for the encoder, and the output has their resolution.

    Shape: (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride), where the stride is 2 / upscale, H and W
    multiples of 32 / upscale; the input about in [-1, 1]. The output is unbounded.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        encoder: str = "efficientnet_lite0",
        decoder_channels: Sequence[int] = (160, 96, 64, 48),
        upscale: int = 1,
    ) -> None:
        super().__init__()
        if upscale not in (1, 2):
            raise ValueError(f"upscale is {upscale}, but must be 1 or 2")
        self.upscale = upscale
        self.multiple = 32 // upscale
        self.output_stride = 2 // upscale
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

    def forward(self, x: Tensor) -> Tensor:
        if self.upscale > 1:
            x = F.interpolate(x, scale_factor=float(self.upscale), mode="bilinear")
        *skips, deepest = self.encoder(x.expand(-1, 3, -1, -1))
        mean = deepest.mean((2, 3), keepdim=True).to(deepest.dtype)
        out = torch.cat([deepest, mean.expand_as(deepest)], dim=1)
        for level, skip in zip(self.decoder, reversed(skips), strict=True):
            out = level(torch.cat([F.interpolate(out, scale_factor=2.0), skip], dim=1))
        colors: Tensor = self.head(self.join(torch.cat([out, self.unshuffle(x).to(out.dtype)], dim=1)))
        return colors
