"""A trained network and its target, rebuilt from a file's description of them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from colorize.errors import ColorizeError, MissingExtraError, first_line
from colorize.networks import Network, build_network
from colorize.registry import explain_unknown
from colorize.targets import Target, build_target

PREFIX = "network."  # of the network's tensors in every file
_OLD_TARGETS = {  # of the tasks that there were before 0.2
    "GrayscaleTask": "GrayscaleTarget",
    "LabTask": "LabTarget",
    "RGBTask": "RGBTarget",
    "ReconstructionTask": "ReconstructionTarget",
}


class Model(NamedTuple):
    """What inference needs."""

    target: Target
    network: Network


def rebuild_model(path: Path, target: Any, network: Any, state: Mapping[str, Tensor]) -> Model:
    """The model that a file describes, on the CPU in evaluation mode; `path` is named where it is refused.

    Names are looked up among imported classes. Nothing is allocated before the shapes of what is described are known to
    be those of the weights.

    Args:
        path: the file.
        target: what `Target.describe` returned.
        network: name and arguments of a network.
        state: the file's tensors; those of the network begin with "network.".

    Raises:
        ColorizeError: an unknown target or network, or weights that do not fit it.
    """
    weights = {name.removeprefix(PREFIX): tensor for name, tensor in state.items() if name.startswith(PREFIX)}
    try:
        built = build_target(target)
        with torch.device("meta"):
            empty = build_network(network, built.in_channels, built.out_channels)
        if shapes(empty) != {name: tensor.shape for name, tensor in weights.items()}:
            raise ColorizeError(f"its weights are not those of {dict(network)} for a {type(built).__name__}")
        model = Model(built, build_network(network, built.in_channels, built.out_channels).eval())
        model.network.load_state_dict(weights)
    except MissingExtraError as error:
        raise ColorizeError(f"{path} cannot be loaded: {error}") from error
    except (ColorizeError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        hint = " A class of your own is found with plugins=[MODULE]." if "is unknown" in str(error) else ""
        raise ColorizeError(f"{path} does not fit its own description: {first_line(error)}{hint}") from error
    return model


def shapes(module: nn.Module) -> dict[str, torch.Size]:
    """The shape of each of a module's tensors, by name."""
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


def describe_old(path: Path, task: object, arguments: object) -> tuple[Any, Any]:
    """Target and network of a file from before 0.2, which names its task and all that it was trained with.

    A LabTask was then shown the colour picture's own L unless it said otherwise.

    Raises:
        ColorizeError: no such task, or arguments that are no mapping.
    """
    if not isinstance(task, str) or task not in _OLD_TARGETS:
        raise ColorizeError(f"{path}: {explain_unknown('task', task, list(_OLD_TARGETS))}")
    if not isinstance(arguments, Mapping):
        raise ColorizeError(f"{path}: its arguments are {type(arguments).__name__}, not a mapping.")
    target = {"name": _OLD_TARGETS[task]}
    if task == "LabTask":
        target["luminance"] = arguments.get("luminance", "lab")
    return target, arguments.get("network")


def fingerprint(network: Network) -> str:
    """A short hash of a network's weights, by which metrics and the checkpoint that they were taken of are matched."""
    digest = hashlib.blake2b(digest_size=8)
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
