"""The composed configuration of a run: as plain values, as a file, and as the task it describes."""

from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from colorize.inference.device import automatic_precision
from colorize.tasks.base import Task
from colorize.training.devices import device_type


def build_task(cfg: DictConfig) -> Task:
    """The task that `cfg.model` describes, with its network; `init_from` is left to `start_from`."""
    model: Any = OmegaConf.to_container(cfg.model, resolve=True)
    del model["init_from"]
    task: Task = instantiate(model, _recursive_=False, _convert_="all")
    return task


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The configuration with every interpolation resolved, as plain dicts, lists, strings and numbers."""
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def expand_paths(cfg: DictConfig) -> None:
    """Replace ~ by the home folder in the paths that train.py itself reads and writes."""
    for holder, key in ((cfg, "ckpt_path"), (cfg, "run_dir"), (cfg.model, "init_from")):
        if holder[key] is not None:
            holder[key] = str(Path(holder[key]).expanduser())


def save_config(cfg: DictConfig) -> None:
    """Write the resolved configuration as `config.yaml` into the run's folder."""
    folder = Path(cfg.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True), encoding="utf-8")


def resolve_precision(precision: str | int, accelerator: str) -> str | int:
    """`trainer.precision`, with "auto" replaced by what it means here: bf16-mixed or 32-true."""
    if precision != "auto":
        return precision
    dtype = automatic_precision(torch.device(device_type(accelerator)))
    return "bf16-mixed" if dtype == torch.bfloat16 else "32-true"
