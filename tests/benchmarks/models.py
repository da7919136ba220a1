"""Models as train.py composes them, for benchmarks of their steps."""

import warnings
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor

from colorize.cli.config import CONFIG_DIR
from colorize.color import to_float
from colorize.data.base import ImageData
from colorize.tasks import Task
from colorize.tasks.optim import build_optimizer, parameter_groups
from colorize.training.config import build_task
from colorize.training.initialize import initialize

warnings.filterwarnings("ignore", ".*self.log.*")  # there is no Trainer


def configuration(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return compose("train", [*overrides, "run_dir=run", "callbacks=default"])


def make(cfg: DictConfig) -> tuple[Task, ImageData, torch.optim.Optimizer]:
    """Task, data that are ready, and the optimizer, at a constant rate."""
    torch.manual_seed(cfg.seed)
    task = build_task(cfg)
    initialize(task, cfg.model)
    data: ImageData = instantiate(cfg.data)
    data.prepare_data()
    data.setup("fit")
    spec: Any = task.hparams["optimizer"]
    return task, data, build_optimizer(spec, parameter_groups(spec, task.network, task.parameters()))


def loss_of(task: Task, batch: dict[str, Tensor], dtype: torch.dtype = torch.float32) -> Tensor:
    """What `Task.training_step` computes, without its logging."""
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        x, y = task.target.see(to_float(batch["rgb"])), task.answer(batch)
        return task.compare(x, task(x).float(), y)
