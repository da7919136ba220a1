"""Networks: plain nn.Modules, with no Lightning and no colour space.

Any imported subclass of `Network` is found by its name.
"""

from collections.abc import Mapping
from typing import Any

import torch

from colorize.networks.autoencoder import ConvAutoencoder
from colorize.networks.base import Network
from colorize.networks.convnet import ConvNet
from colorize.networks.encoder_unet import EncoderUNet
from colorize.networks.unet import UNet
from colorize.registry import build, imported_subclasses

__all__ = ["ConvAutoencoder", "ConvNet", "EncoderUNet", "Network", "UNet", "build_network"]


def build_network(spec: Mapping[str, Any], in_channels: int, out_channels: int) -> Network:
    """A network from its description, e.g. `{"name": "UNet", "width": 32}`, in channels-last memory.

    Raises:
        ColorizeError: no such network, or arguments that it refuses.
    """
    network = build("model.network", imported_subclasses(Network), spec, in_channels, out_channels)
    network.spec = dict(spec)
    return network.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
