"""What a process of a training holds that Lightning does not put into checkpoints."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from colorize.data.base import data_of


def collect(trainer: pl.Trainer) -> list[dict[str, Any]]:
    """For each process its random states, that of augmentation too, and the sums behind the epoch's means so far.

    To be called by all processes at the same time. They are tensors and plain values.
    """
    numpy: Any = np.random.get_state()  # noqa: NPY002 # the global one
    algorithm, keys, place, has_gauss, gauss = numpy
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (algorithm, torch.from_numpy(keys.astype(np.int64)), place, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "device": _device_module(trainer).get_rng_state() if _device_module(trainer) else None,
        "augment": data_of(trainer).augment.state_dict(),
        "sums": {
            key: (metric.value.cpu(), int(getattr(metric, "cumulated_batch_size", 0)))
            for key, metric in trainer.fit_loop.epoch_loop._results.items()
            if metric.is_tensor and metric.update_called and metric.meta.on_epoch
        },
    }
    if trainer.world_size == 1:
        return [state]
    states: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(states, state)
    return states


def restore(trainer: pl.Trainer, state: Mapping[str, Any]) -> None:
    """Put back the random states that `collect` found in this process."""
    algorithm, keys, place, has_gauss, gauss = state["numpy"]
    random.setstate(state["python"])
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), place, has_gauss, gauss))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    module = _device_module(trainer)
    if module and state["device"] is not None:
        module.set_rng_state(state["device"])
    data_of(trainer).augment.load_state_dict(state["augment"], trainer.strategy.root_device)


def add_sums(trainer: pl.Trainer, sums: Mapping[str, Any]) -> None:
    """Add the sums of an epoch's earlier batches to those of its first batch after a resume: bitwise as in one go."""
    for key, metric in trainer.fit_loop.epoch_loop._results.items():
        if key in sums:
            value, count = sums[key]
            value = value.to(metric.value.device)
            if metric.meta.is_max_reduction or metric.meta.is_min_reduction:
                metric.value = metric.meta.reduce_fx(value, metric.value)
            else:
                metric.value = value + metric.value
            if metric.meta.is_mean_reduction:
                metric.cumulated_batch_size = count + metric.cumulated_batch_size


def _device_module(trainer: pl.Trainer) -> Any:
    kind = trainer.strategy.root_device.type
    return None if kind == "cpu" else torch.get_device_module(kind)
