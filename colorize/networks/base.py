"""The contract of a network."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A network, whose constructor takes `in_channels` and `out_channels` first.

    Attributes:
        multiple: what height and width of the input of `forward` must be multiples of.
        output_stride: how many times smaller height and width of its output are.
        image_size: height and width of the pictures, for a network that is fixed in size by nature, else None.
        spec: the name and arguments that `build_network` was given; files keep them.
    """

    multiple: int = 1
    output_stride: int = 1
    image_size: int | None = None
    spec: Mapping[str, Any] = {}

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride), H and W multiples of `self.multiple`."""

    def forward_coarse(self, x: Tensor) -> Tensor:
        """`forward` for any H and W: the border is repeated up to the next multiple and cut off again.

        Shape: (B, in_channels, H, W) -> (B, out_channels, h, w), H / `output_stride` and W / `output_stride` rounded
        up.
        """
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        output: Tensor = self(padded.contiguous(memory_format=torch.channels_last))
        stride = self.output_stride
        return output[..., : (height + stride - 1) // stride, : (width + stride - 1) // stride]

    def forward_any_size(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W) for any H and W: the output is enlarged bilinearly."""
        return enlarge(self.forward_coarse(x), self.output_stride, x.shape[-2:])


def enlarge(coarse: Tensor, stride: int, size: Sequence[int]) -> Tensor:
    """(B, C, h, w) -> (B, C, H, W): enlarged bilinearly `stride` times, then cropped to `size`, (H, W)."""
    if stride > 1:
        coarse = F.interpolate(coarse.contiguous(), scale_factor=float(stride), mode="bilinear")
    return coarse[..., : size[0], : size[1]]


def shrink(full: Tensor, stride: int) -> Tensor:
    """(B, C, H, W) -> (B, C, h, w), rounded up: the mean of each cell, the border repeated to fill it."""
    if stride == 1:
        return full
    height, width = full.shape[-2:]
    return F.avg_pool2d(F.pad(full, (0, -width % stride, 0, -height % stride), mode="replicate"), stride)
