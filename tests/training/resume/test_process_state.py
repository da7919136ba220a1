"""What a process holds beside its checkpoint: random states, and the sums of an epoch's means."""

import io
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.trainer.connectors.logger_connector.result import _Metadata, _ResultMetric, _Sync
from torchmetrics import MeanMetric

from colorize.training.resume.process_state import add_sums, collect, restore
from tests.training.small import make_data

VALUES = [0.5, -1.25, 3.0, 0.75, -2.0]
SIZES = [4, 4, 4, 4, 1]


def make_trainer(results: dict[str, Any]) -> Any:
    return SimpleNamespace(
        world_size=1,
        datamodule=make_data(augment={"flip": True}),
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(_results=results)),
    )


def draws(trainer: Any) -> list[Any]:
    """The next numbers of every generator; normal numbers of NumPy and Python come in pairs."""
    pictures = {"rgb": torch.arange(16 * 3 * 16 * 16).reshape(16, 3, 16, 16).byte(), "index": torch.arange(16)}
    return [
        random.random(),
        random.gauss(0, 1),
        np.random.random(),  # noqa: NPY002
        np.random.standard_normal(),  # noqa: NPY002
        torch.rand(3).tolist(),
        trainer.datamodule.augment(pictures)["rgb"].sum((1, 3)).tolist(),
    ]


def through_a_file(state: Any) -> Any:
    """As a checkpoint gives it back."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("drawn", [0, 1, 2])
def test_every_random_number_goes_on(drawn: int) -> None:
    trainer = make_trainer({})
    for _ in range(drawn):
        draws(trainer)
    (state,) = through_a_file(collect(trainer))
    expected = [draws(trainer), draws(trainer)] if drawn else None
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    torch.manual_seed(99)
    other = make_trainer({})
    restore(other, state)
    if expected is None:  # before its first batch augmentation has no numbers of its own yet
        assert other.datamodule.augment.generator is None
    else:
        assert [draws(other), draws(other)] == expected


def make_results() -> dict[str, _ResultMetric]:
    reductions: dict[str, Callable[..., Any]] = {
        "mean": torch.mean,
        "sum": torch.sum,
        "max": torch.max,
        "min": torch.min,
    }
    results = {
        name: _ResultMetric(_Metadata("training_step", name, reduce_fx=reduce_fx, _sync=_Sync()), is_tensor=True)
        for name, reduce_fx in reductions.items()
    }
    step = _Metadata("training_step", "step", on_step=True, on_epoch=False, _sync=_Sync())
    return {**results, "step": _ResultMetric(step, is_tensor=True)}


def feed(results: dict[str, _ResultMetric], batches: slice) -> None:
    for value, size in zip(VALUES[batches], SIZES[batches], strict=True):
        for metric in results.values():
            metric.update(torch.tensor(value), size)


@pytest.mark.parametrize("done", [1, 3, 4])
def test_an_epochs_values_are_those_of_one_go(done: int) -> None:
    whole, before, after = make_results(), make_results(), make_results()
    feed(whole, slice(0, 5))
    feed(before, slice(0, done))
    before["metric"] = _ResultMetric(_Metadata("training_step", "metric", _sync=_Sync()), is_tensor=False)
    before["metric"].update(MeanMetric(), 1)  # type: ignore[arg-type] # has a state of its own in checkpoints
    (state,) = through_a_file(collect(make_trainer(before)))
    assert state["sums"].keys() == {"mean", "sum", "max", "min"}
    feed(after, slice(done, done + 1))
    after["new"] = make_results()["sum"]
    after["new"].update(torch.tensor(7.0), 1)
    add_sums(make_trainer(after), state["sums"])
    feed({name: metric for name, metric in after.items() if name != "new"}, slice(done + 1, 5))
    assert after.pop("new").compute() == 7
    assert {name: metric.compute().item() for name, metric in after.items()} == {
        name: metric.compute().item() for name, metric in whole.items()
    }


def test_what_was_not_logged_yet_has_no_sum() -> None:
    (state,) = collect(make_trainer(make_results()))
    assert state["sums"] == {}
