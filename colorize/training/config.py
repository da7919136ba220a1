"""The composed configuration of a run: as plain values, as a file, and as the task it describes."""

from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from colorize.files import write_whole
from colorize.tasks.base import Task


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


@rank_zero_only
def save_config(cfg: DictConfig) -> None:
    """Write the resolved configuration as `config.yaml` into the run's folder, on rank zero."""
    folder = Path(cfg.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "config.yaml", OmegaConf.to_yaml(cfg, resolve=True).encode())


def resolve_precision(precision: str | int, accelerator: str) -> str | int:
    """What trainer.precision=auto means here: bf16-mixed on a GPU that has bfloat16, else 32-true."""
    if precision != "auto":
        return precision
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
