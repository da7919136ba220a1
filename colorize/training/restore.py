"""A task from a run's checkpoint, and whether a checkpoint of it will load back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_class
from omegaconf import DictConfig, open_dict

from colorize.errors import ColorizeError, first_line
from colorize.files import is_file
from colorize.networks import build_network
from colorize.registry import explain_unknown, imported_subclasses
from colorize.targets import build_target
from colorize.tasks import LabTask, Task
from colorize.training.config import build_task
from colorize.training.initialize import start_from
from colorize.weights.checkpoint import read_checkpoint, trained_on
from colorize.weights.loading import LARGEST_IMAGE_SIZE
from colorize.weights.model import shapes


def task_to_evaluate(cfg: DictConfig) -> Task:
    """The trained task of `cfg.ckpt_path`, or the one that `cfg.model` describes with all its weights from `init_from`.

    Raises:
        ColorizeError: as `load_task` and `start_from`, or `init_from` lacks some of its weights.
    """
    if cfg.ckpt_path is not None:
        return load_task(Path(cfg.ckpt_path))
    task = build_task(cfg)
    missing = start_from(task, str(cfg.model.init_from))
    if missing:
        raise ColorizeError(
            f"model.init_from={cfg.model.init_from} lacks {len(missing)} tensors of this model ({missing[0]}, ...), "
            "which cannot be evaluated untrained: give the model= and model.network that these weights are of."
        )
    return task.eval()


def load_task(path: Path) -> Task:
    """The trained task of a run's checkpoint, on the CPU in evaluation mode.

    Raises:
        ColorizeError: as `read_checkpoint`, an unknown task, or weights that do not fit it.
    """
    checkpoint = read_checkpoint(path)
    task_class, arguments = _describe(path, checkpoint)
    try:
        with torch.device("meta"):
            expected = shapes(task_class(**arguments))
        if expected != {key: value.shape for key, value in checkpoint["state_dict"].items()}:
            raise ColorizeError(f"its weights are not those of {task_class.__name__} with {arguments.get('network')}")
        task = task_class(**arguments)
        task.load_state_dict(checkpoint["state_dict"])
        task.on_load_checkpoint(checkpoint)
    except (ColorizeError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        raise ColorizeError(f"{path} does not fit its own description: {first_line(error)}") from error
    return task.eval()


def adopt_checkpoint(cfg: DictConfig) -> None:
    """Put into `cfg` the model that an evaluation is of, and the image size it was trained at unless one is given.

    Both are those of the checkpoint `cfg.ckpt_path`, whatever `model=` says. Where there is none, `check` refuses it.

    Raises:
        ColorizeError: as `load_task`, or values that would mean something else in a configuration.
    """
    if cfg.ckpt_path is None or not is_file(Path(str(cfg.ckpt_path))):
        return
    path = Path(cfg.ckpt_path)
    checkpoint = read_checkpoint(path)
    task_class, arguments = _describe(path, checkpoint)
    _check_plain(path, arguments)
    size = trained_on(checkpoint).get("image_size")
    given = HydraConfig.initialized() and any(
        override.lstrip("+").startswith("data.image_size=") for override in HydraConfig.get().overrides.task
    )
    with open_dict(cfg):
        cfg.model = {
            "_target_": f"{task_class.__module__}.{task_class.__qualname__}",
            **arguments,
            "init_from": None,
            "encoder_weights": None,
        }
        if (
            isinstance(size, int)
            and 0 < size <= LARGEST_IMAGE_SIZE
            and not given
            and get_class(cfg.data._target_).fixed_image_size is None
        ):
            cfg.data.image_size = size


def _describe(path: Path, checkpoint: Mapping[str, Any]) -> tuple[type[Task], dict[str, Any]]:
    """The class of a checkpoint's task and the arguments that it was made with."""
    known, name, arguments = imported_subclasses(Task), checkpoint["task"], checkpoint["hyper_parameters"]
    if not isinstance(name, str) or name not in known:
        raise ColorizeError(
            f"{path}: {explain_unknown('task', name, sorted(known))} Your own is found with plugins=[MODULE]."
        )
    if not isinstance(arguments, Mapping):
        raise ColorizeError(f"{path}: its hyper_parameters are {type(arguments).__name__}, not a mapping.")
    if known[name] is LabTask and "target" not in checkpoint:
        arguments = {"luminance": "lab", **arguments}  # what checkpoints from before 0.2 mean that do not say
    return known[name], dict(arguments)


def _check_plain(path: Path, value: object) -> None:
    """Raise a ColorizeError unless these are plain values that neither Hydra nor OmegaConf reads as an order."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or key.startswith("_"):
                raise _not_ours(path, key)
            _check_plain(path, key)
            _check_plain(path, item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_plain(path, item)
    elif not isinstance(value, str | int | float | None) or (isinstance(value, str) and "${" in value):
        raise _not_ours(path, value)


def _not_ours(path: Path, value: object) -> ColorizeError:
    said = repr(value) if isinstance(value, str) else type(value).__name__
    return ColorizeError(f"{path} is refused: its hyper_parameters hold {said[:80]}, which no training of ours wrote.")


def check_loads_back(task: Task) -> None:
    """Raise a ColorizeError if a checkpoint of this task could not be loaded: before it is trained, not after.

    Args:
        task: on the meta device, as nothing is computed.
    """
    try:
        json.dumps({"target": task.target.describe(), **task.hparams}, allow_nan=False)
        with torch.device("meta"):
            again = imported_subclasses(Task)[type(task).__name__](**task.hparams)
            target = build_target(task.target.describe())
            network = build_network(task.network.spec, target.in_channels, target.out_channels)
        same = target == task.target == again.target and shapes(network) == shapes(task.network)
        if not same or shapes(again) != shapes(task):
            raise ColorizeError("its arguments do not describe all of it")
    except (ColorizeError, TypeError, ValueError, KeyError) as error:
        raise ColorizeError(
            f"A checkpoint of {type(task).__name__} with {type(task.network).__name__} could not be loaded back: "
            f"{first_line(error)}; its arguments must be plain values, which tell all that it is."
        ) from error
