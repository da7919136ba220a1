"""Reading a checkpoint as data, never as code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from colorize import tasks
from colorize.build import unknown
from colorize.errors import ColorizeError, first_line
from colorize.tasks.base import Task


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


def load_task(path: Path) -> tuple[Task, dict[str, Any]]:
    """The trained task of a checkpoint, on the CPU in evaluation mode, and the configuration it was trained with.

    The names of task and network in the file are looked up among the classes of this package.

    Raises:
        ColorizeError: as `read_checkpoint`, an unknown task or network, weights that do not fit the network.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint["task"] not in tasks.__all__:
        raise ColorizeError(f"{path}: {unknown('task', checkpoint['task'], list(tasks.__all__))}")
    task_class: type[Task] = getattr(tasks, checkpoint["task"])
    try:
        task = task_class(**checkpoint["hyper_parameters"])
        task.load_state_dict(checkpoint["state_dict"])
    except (ColorizeError, TypeError, RuntimeError) as error:
        raise ColorizeError(f"{path} does not fit its own description: {first_line(error)}") from error
    return task.eval(), checkpoint.get("config", {})
