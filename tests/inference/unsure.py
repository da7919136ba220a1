"""For tests: colorizers whose weights know a distribution of colours, without a training."""

import torch

from colorize.inference.colorizer import Colorizer
from colorize.networks import build_network
from colorize.targets import LabBinsTarget, Target
from colorize.weights.model import Model


def unsure(target: Target | None = None, spread: float = 3.0, size: int = 32, **facts: float) -> Colorizer:
    """A small U-Net with random weights, whose logits differ by about `spread`."""
    target = target or LabBinsTarget()
    torch.manual_seed(0)
    network = build_network({"name": "UNet", "width": 4, "depth": 2}, target.in_channels, target.out_channels)
    torch.nn.init.normal_(network.head.weight, std=spread)  # type: ignore[union-attr, arg-type]
    return Colorizer(Model(target, network), {"image_size": size} | facts, device="cpu")
