"""The contract of a target: the input of a network, its output, and the way back to a picture."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import Tensor

from colorize.color import rgb_to_lab, to_float
from colorize.networks import Network

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Target(ABC):
    """What a network is shown of a picture, what it is to predict, and the picture that follows from its prediction.

    A subclass is a frozen dataclass whose fields are plain values: they go into checkpoints. Colour maths are float32.

    Attributes:
        in_channels, out_channels: of the network; `out_channels` may follow from the fields.
        at_full_size: whether the network runs over a photograph at its own size; otherwise it predicts the colours of
            a small one.
    """

    in_channels: ClassVar[int]
    at_full_size: ClassVar[bool] = False

    @property
    @abstractmethod
    def out_channels(self) -> int: ...

    @abstractmethod
    def see(self, rgb: Tensor) -> Tensor:
        """The input of the network, about in [-1, 1], (B, in_channels, H, W), of RGB (B, 3, H, W) in [0, 1]."""

    @abstractmethod
    def target(self, batch: Batch) -> Tensor:
        """What the loss compares a prediction with, of a batch of data: (B, C, H, W), C mostly out_channels."""

    @abstractmethod
    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        """The picture of an input and a prediction: (B, 3, H, W) in [0, 1]."""

    def to_ab(self, x: Tensor, prediction: Tensor) -> Tensor:
        """The colours of an input and a prediction: ab (B, 2, H, W) of CIE Lab, not brought into gamut."""
        return rgb_to_lab(self.to_rgb(x, prediction))[:, 1:]

    def bound(self, output: Tensor) -> Tensor:
        """Maps a network's output into the range of the target."""
        return output

    def truth(self, batch: Batch) -> Tensor:
        """The picture that a perfect prediction gives: (B, 3, H, W) in [0, 1]."""
        return to_float(batch["rgb"])

    def predict(self, network: Network, x: Tensor) -> Tensor:
        """The prediction of `network` for an input (B, in_channels, H, W) of any H and W: (B, out_channels, H, W).

        A target of many channels may leave it at the network's own resolution.
        """
        return self.bound(network.forward_any_size(x))

    def describe(self) -> dict[str, Any]:
        """Name and fields, of which `build_target` makes an equal target."""
        return {"name": type(self).__name__, **asdict(self)}
