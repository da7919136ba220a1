"""Networks: plain nn.Modules, with no Lightning and no colour space.

A network takes `in_channels` and `out_channels` first, keeps H and W, and states in `multiple` what H and W must be
multiples of. One that is fixed in size by nature has an `image_size`.
"""

from colorize.networks.autoencoder import ConvAutoencoder
from colorize.networks.convnet import ConvNet
from colorize.networks.unet import UNet

__all__ = ["ConvAutoencoder", "ConvNet", "UNet"]
