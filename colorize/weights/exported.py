"""A trained model in one safetensors file, which holds weights and a JSON header and no code."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from colorize.errors import ColorizeError, first_line
from colorize.files import is_file, write_whole
from colorize.weights.model import PREFIX, Model, describe_old, rebuild_model
from colorize.weights.onnx_file import is_onnx

HEADER = "colorize"
FILE_VERSION = 2


def write_exported(path: Path, model: Model, facts: Mapping[str, Any], dtype: torch.dtype = torch.float16) -> None:
    """Write the weights of a model, those of convolutions and linear layers as `dtype`, and a header that rebuilds it.

    Args:
        path: the file, whole or not at all; its name ends in .safetensors.
        model: a trained network and its target.
        facts: plain values that go into the header beside target, network and version, e.g. `image_size`.
        dtype: float16 halves the file; the smallest of weights are rounded to multiples of 6e-8.

    Raises:
        ColorizeError: the name ends in something else, the file cannot be written, a network of an ONNX file or one
            that `build_network` has not made, a `dtype` of integers, or a weight that is not finite as `dtype`.
    """
    if path.suffix != ".safetensors":
        raise ColorizeError(f"{path}: an exported colorizer's name must end in .safetensors.")
    if is_onnx(model.network):
        raise ColorizeError(f"{path}: an ONNX file's network has no weights of torch: save what it was exported from.")
    if not model.network.spec:
        name = type(model.network).__name__
        raise ColorizeError(f"{path}: its {name} has no description: make it with build_network.")
    if not dtype.is_floating_point:
        raise ColorizeError(f"{path}: {dtype} holds no weights: save them as torch.float16 or torch.float32.")
    tensors = {}
    for name, tensor in model.network.state_dict().items():
        stored = tensor.to(dtype) if tensor.ndim >= 2 else tensor
        if not torch.isfinite(stored).all():
            raise ColorizeError(f"{path}: {name} has values that are not finite as {dtype}; save it as torch.float32.")
        tensors[PREFIX + name] = stored.contiguous().cpu()
    header = {
        "format": FILE_VERSION,
        "version": version("colorize"),
        "target": model.target.describe(),
        "network": dict(model.network.spec),
        **facts,
    }
    try:
        write_whole(path, save(tensors, {HEADER: json.dumps(header, allow_nan=False)}))
    except OSError as error:
        raise ColorizeError(f"{path} cannot be written: {first_line(error)}.") from error


def read_exported(path: Path) -> tuple[Model, dict[str, Any]]:
    """The model of an exported file, in float32 on the CPU in evaluation mode, and the file's header.

    Raises:
        ColorizeError: no such file, not one that `write_exported` wrote, or weights that do not fit the header.
    """
    if not is_file(path):
        raise ColorizeError(f"There is no exported colorizer at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(HEADER)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        header: Any = json.loads(text) if text is not None else None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise ColorizeError(f"{path} cannot be read as a safetensors file: {first_line(error)}.") from error
    match header:
        case {"format": 2, "target": target, "network": network}:
            pass
        case {"format": 1, "task": task, "arguments": arguments}:
            target, network = describe_old(path, task, arguments)
        case {"format": other} if other not in (1, 2):
            raise ColorizeError(
                f"{path} has format {other!r}, but this version reads 1 and {FILE_VERSION}: update colorize."
            )
        case _:
            raise ColorizeError(f"{path} is not a colorizer of this project: its header does not describe one.")
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    return rebuild_model(path, target, network, state), header
