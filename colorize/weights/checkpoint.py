"""Reading a checkpoint as data, never as code."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize.errors import ColorizeError, first_line
from colorize.files import is_file
from colorize.weights.model import Model, describe_old, rebuild_model


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a run's checkpoint, read with `weights_only=True`: tensors and plain values, nothing that runs.

    Raises:
        ColorizeError: no such file, not a checkpoint, one that would need code to be run, or one whose weights stand
            for more memory than the file has bytes.
    """
    if not is_file(path):
        raise ColorizeError(f"There is no checkpoint at {path}: give the path of a run's checkpoints/best.ckpt.")
    try:
        _check_archive(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise ColorizeError(
            f"{path} is refused: it is no checkpoint, or holds objects other than weights and plain values; "
            "only checkpoints that a training of colorize wrote are loaded."
        ) from error
    except Exception as error:  # torch raises nearly anything on a damaged file
        raise ColorizeError(f"{path} cannot be read as a checkpoint: {first_line(error)}.") from error
    if not isinstance(checkpoint, dict) or not {"task", "hyper_parameters", "state_dict"} <= checkpoint.keys():
        raise ColorizeError(f"{path} is not a checkpoint of this project: no training of it wrote it.")
    _check_weights(path, checkpoint["state_dict"])
    return checkpoint


def _check_archive(path: Path) -> None:
    """Raise BadZipFile unless the file is an archive that unpacks to no more than its own bytes, as torch writes it."""
    with zipfile.ZipFile(path) as archive:
        if sum(record.file_size for record in archive.infolist()) > path.stat().st_size:
            raise zipfile.BadZipFile("its records are compressed or overlap")


def _check_weights(path: Path, state: Any) -> None:
    """Raise a ColorizeError unless these are tensors by name that the file has the bytes of: a few of them can be
    expanded or shared to any size."""
    are_tensors = isinstance(state, Mapping) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    )
    if not are_tensors:
        raise ColorizeError(f"{path} is not a checkpoint of this project: its weights are not tensors by name.")
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > path.stat().st_size:
        raise ColorizeError(f"{path} is refused: it holds fewer bytes than its weights need.")


def load_model(path: Path) -> tuple[Model, dict[str, Any]]:
    """The trained model of a run's checkpoint, on the CPU in evaluation mode, and the content of the file.

    Raises:
        ColorizeError: as `read_checkpoint` and `rebuild_model`.
    """
    checkpoint = read_checkpoint(path)
    if "target" in checkpoint:
        target, network = checkpoint["target"], checkpoint.get("network")
    else:
        target, network = describe_old(path, checkpoint["task"], checkpoint["hyper_parameters"])
    return rebuild_model(path, target, network, checkpoint["state_dict"]), checkpoint


def trained_on(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` section of the configuration in a checkpoint; empty where there is none."""
    config = checkpoint.get("config")
    data = config.get("data") if isinstance(config, dict) else None
    return data if isinstance(data, dict) else {}


def names_of(checkpoint: Mapping[str, Any]) -> list[str]:
    """The names of the task and of the network in a checkpoint."""
    network = checkpoint["hyper_parameters"].get("network")
    return [str(checkpoint["task"]), str(network.get("name") if isinstance(network, Mapping) else network)]
