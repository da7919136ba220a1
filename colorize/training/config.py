"""The composed configuration of a run: as plain values, as a file, and as the task it describes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities import rank_zero_only

import colorize.training.folder  # noqa: F401 # registers `run_name`, a resolver of conf/
from colorize.errors import ColorizeError
from colorize.files import expand_home, write_whole
from colorize.inference.device import automatic_precision
from colorize.tasks.base import Task
from colorize.training.devices import device_type
from colorize.training.progress import ProgressBar

STARTS = ("init_from", "encoder_weights")  # keys of `model` that say which weights a training starts from


def build_task(cfg: DictConfig) -> Task:
    """The task that `cfg.model` describes, with its network; the weights it starts from are left to `initialize`."""
    model: Any = OmegaConf.to_container(cfg.model, resolve=True)
    for key in STARTS:
        model.pop(key, None)
    task: Task = instantiate(model, _recursive_=False, _convert_="all")
    return task


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The configuration with every interpolation resolved, as plain dicts, lists, strings and numbers."""
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def flatten(value: Any, key: str = "") -> dict[str, Any]:
    """Nested mappings as one of dotted keys, all below `key`: {"a": {"b": 1}} -> {"a.b": 1}."""
    if not isinstance(value, Mapping):
        return {key: value}
    flat: dict[str, Any] = {}
    for name, item in value.items():
        flat |= flatten(item, f"{key}.{name}" if key else name)
    return flat


def expand_paths(cfg: DictConfig) -> None:
    """Replace ~ by the home folder in the paths that a training itself reads and writes."""
    for holder, key in ((cfg, "ckpt_path"), (cfg, "run_dir"), (cfg.model, "init_from"), (cfg.model, "encoder_weights")):
        if str(holder[key]).startswith("~"):
            holder[key] = str(expand_home(holder[key]))


@rank_zero_only
def save_config(cfg: DictConfig) -> None:
    """Write the resolved configuration as `config.yaml` into the run's folder, on rank zero.

    Raises:
        ColorizeError: the folder cannot be made, or written to.
    """
    folder = Path(cfg.run_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "config.yaml", OmegaConf.to_yaml(cfg, resolve=True).encode())
    except OSError as error:
        raise ColorizeError(
            f"run_dir={folder} cannot be written: {error.strerror or error}. Give another: hydra.run.dir=FOLDER."
        ) from error


def resolve_precision(precision: str | int, accelerator: str) -> str | int:
    """`trainer.precision`, with "auto" replaced by what it means here: bf16-mixed or 32-true."""
    if precision != "auto":
        return precision
    dtype = automatic_precision(torch.device(device_type(accelerator)))
    return "bf16-mixed" if dtype == torch.bfloat16 else "32-true"


def progress_bars(cfg: DictConfig) -> list[Callback]:
    """The bar, unless none is wanted."""
    return [ProgressBar()] if cfg.trainer.enable_progress_bar else []
