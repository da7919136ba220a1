"""Reading a checkpoint as data, never as code."""

import logging
import pickle
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize import tasks
from colorize.errors import ColorizeError, first_line
from colorize.registry import unknown
from colorize.tasks.base import Task

log = logging.getLogger(__name__)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a run's checkpoint, read with `weights_only=True`: tensors and plain values, nothing that runs.

    Raises:
        ColorizeError: no such file, not a checkpoint, or one that would need code to be run.
    """
    if not path.is_file():
        raise ColorizeError(f"There is no checkpoint at {path}: give the path of a run's checkpoints/best.ckpt.")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ColorizeError(
            f"{path} is refused: it is no checkpoint, or holds objects other than weights and plain values; "
            "only checkpoints written by train.py are loaded."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ColorizeError(f"{path} cannot be read as a checkpoint: {first_line(error)}.") from error
    if not isinstance(checkpoint, dict) or not {"task", "hyper_parameters", "state_dict"} <= checkpoint.keys():
        raise ColorizeError(f"{path} is not a checkpoint of this project: it was not written by train.py.")
    return checkpoint


def rebuild_task(path: Path, name: object, arguments: object, state_dict: Mapping[str, Tensor]) -> Task:
    """A task from what a file says of it, in evaluation mode; `path` is named where it is refused.

    The names of task and network are looked up among the classes of this package. Nothing is allocated before the
    shapes that the arguments stand for are known to be those of the weights.

    Raises:
        ColorizeError: an unknown task or network, weights that do not fit the network.
    """
    if name not in tasks.__all__:
        raise ColorizeError(f"{path}: {unknown('task', name, list(tasks.__all__))}")
    task_class: type[Task] = getattr(tasks, str(name))
    try:
        if not isinstance(arguments, Mapping):
            raise ColorizeError(f"its arguments are {type(arguments).__name__}, not a mapping")
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in task_class(**arguments).state_dict().items()}
        if shapes != {key: value.shape for key, value in state_dict.items()}:
            raise ColorizeError(f"its weights are not those of {name} with {dict(arguments).get('network')}")
        task = task_class(**arguments)
        task.load_state_dict(state_dict)
    except (ColorizeError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        raise ColorizeError(f"{path} does not fit its own description: {first_line(error)}") from error
    return task.eval()


def load_task(path: Path) -> tuple[Task, dict[str, Any]]:
    """The trained task of a run's checkpoint, on the CPU in evaluation mode, and the content of the file.

    Raises:
        ColorizeError: as `read_checkpoint` and `rebuild_task`.
    """
    checkpoint = read_checkpoint(path)
    task = rebuild_task(path, checkpoint["task"], checkpoint["hyper_parameters"], checkpoint["state_dict"])
    return task, checkpoint


def start_from(task: Task, path: Path) -> None:
    """Copy into `task` every weight of a checkpoint that has the same name and shape, and say which have not.

    Raises:
        ColorizeError: as `read_checkpoint`, or nothing matches.
    """
    theirs, ours = read_checkpoint(path)["state_dict"], task.state_dict()
    weights = [name for name in ours if name.startswith("network.")]
    matching = {name: theirs[name] for name in weights if name in theirs and theirs[name].shape == ours[name].shape}
    if not matching:
        raise ColorizeError(f"model.init_from={path} has no weight of the same name and shape as this network.")
    task.load_state_dict({**ours, **matching})
    log.warning(
        "model.init_from=%s: %d of the network's %d tensors start from it; start anew: %s; not used: %s.",
        path,
        len(matching),
        len(weights),
        _tensors(ours, matching),
        _tensors(theirs, matching),
    )


def _tensors(state: Mapping[str, Tensor], without: Collection[str], show: int = 8) -> str:
    """The network's tensors with their shapes, e.g. "encoder.0.0.weight 16x1x3x3"."""
    names = [name for name in state if name.startswith("network.") and name not in without]
    shown = [f"{name.removeprefix('network.')} {'x'.join(map(str, state[name].shape))}" for name in names[:show]]
    return ", ".join(shown + [f"and {len(names) - show} more"] * (len(names) > show)) or "none"
