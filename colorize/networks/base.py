"""The contract of a network."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """Takes `in_channels` and `out_channels` first, and keeps height and width.

    Attributes:
        multiple: what height and width of the input of `forward` must be multiples of.
        image_size: height and width of the pictures, for a network that is fixed in size by nature, else None.
        spec: name and arguments, which `build_network` made it of and files keep.
    """

    multiple: int = 1
    image_size: int | None = None
    spec: Mapping[str, Any] = {}

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W), H and W multiples of `self.multiple`."""

    def forward_any_size(self, x: Tensor) -> Tensor:
        """`forward` for any H and W: the border is repeated up to the next multiple and cut off again."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        output: Tensor = self(padded.contiguous(memory_format=torch.channels_last))
        return output[..., :height, :width]
