"""The moving average of weights: where it lies, and that it can be sent to another process."""

import pickle
from types import SimpleNamespace
from typing import Any

import torch

from colorize.training.callbacks import EMA
from tests.training.small import make_task


def test_an_average_can_be_sent_to_a_spawned_process() -> None:
    ema = pickle.loads(pickle.dumps(EMA(0.5)))
    averaged, current = torch.zeros(2), torch.ones(2)
    ema._kwargs["multi_avg_fn"]([averaged], [current], torch.tensor(1000))
    assert averaged.tolist() == [0.5, 0.5]


def test_it_lies_on_the_device_of_the_training_where_the_module_is_moved_later() -> None:
    """Else each step on a GPU would copy all weights to the CPU."""
    trainer: Any = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("meta")))
    ema, task = EMA(), make_task()
    ema.setup(trainer, task, "fit")
    assert ema._average_model is not None
    assert {tensor.device.type for tensor in ema._average_model.parameters()} == {"meta"}
    assert task.device.type == "cpu"
