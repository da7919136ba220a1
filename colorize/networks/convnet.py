"""ConvNet: a small encoder and a fully connected decoder, for pictures of one fixed size."""

from torch import Tensor, nn

from colorize.networks.base import Network
from colorize.networks.blocks import activation_layer


class ConvNet(Network):
    """Two convolutions with max-pooling, then two linear layers that draw the whole picture.

    At `image_size` 32 with three output channels this is Conv(1->16, 3, padding 1), pool, Conv(16->32, 3), pool,
    flatten 32*7*7, Linear 512 + ReLU, Linear 3072 + sigmoid, view 3x32x32. The linear layers fix the size of the
    pictures: `self.image_size` says which.

    Args:
        in_channels, out_channels: what the target gives and wants.
        image_size: height and width of the pictures, at least 8.
        hidden: width of the first linear layer, at least 1.
        activation: after each convolution: "none" (the max-pooling alone is not linear), "relu", "leaky_relu", "elu",
            "gelu" or "silu".

    Shape: (B, in_channels, image_size, image_size) -> (B, out_channels, image_size, image_size), in [0, 1].
    """

    def __init__(
        self, in_channels: int, out_channels: int, image_size: int, hidden: int = 512, activation: str = "none"
    ) -> None:
        super().__init__()
        if image_size < 8:
            raise ValueError(f"image_size is {image_size}, but ConvNet needs at least 8")
        if hidden < 1:
            raise ValueError(f"hidden is {hidden}, but must be at least 1")
        self.image_size = image_size
        bottleneck = (image_size // 2 - 2) // 2
        self.encoder = nn.Sequential(
            nn.Conv2d(in_channels, 16, 3, padding=1),
            activation_layer(activation),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3),
            activation_layer(activation),
            nn.MaxPool2d(2),
        )
        self.decoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * bottleneck**2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, out_channels * image_size**2),
            nn.Sigmoid(),
            nn.Unflatten(1, (out_channels, image_size, image_size)),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.encoder(x))
        return out
