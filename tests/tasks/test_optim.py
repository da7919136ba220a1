"""Learning rates by module."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from colorize.errors import ColorizeError
from colorize.tasks import LabTask
from colorize.tasks.optim import build_optimizer, build_schedule

NETWORK = {"name": "EncoderUNet", "decoder_channels": [8, 8, 4, 4]}


def make(optimizer: dict[str, Any]) -> LabTask:
    return LabTask(NETWORK, {"name": "mse"}, {"name": "AdamW", **optimizer})


def test_a_module_has_a_rate_of_its_own() -> None:
    task = make({"lr": 1e-2, "lr_factors": {"encoder": 0.5}})
    rest, encoder = task.configure_optimizers().param_groups
    assert (rest["lr"], encoder["lr"]) == (1e-2, 5e-3)
    assert {id(p) for p in encoder["params"]} == {id(p) for p in task.network.encoder.parameters()}  # type: ignore[operator, union-attr]
    assert len(rest["params"]) + len(encoder["params"]) == len(list(task.parameters()))


def test_a_factor_of_0_freezes_from_the_start() -> None:
    task = make({"lr": 1e-2, "lr_factors": {"encoder": 0}})
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    optimizer = task.configure_optimizers()
    task.compare(torch.zeros(1), task(torch.rand(2, 1, 32, 32)), torch.ones(2, 2, 32, 32)).backward()
    optimizer.step()
    for name, value in task.network.named_parameters():
        frozen = name.startswith("encoder.")
        assert value.requires_grad != frozen
        assert torch.equal(value, before[name]) or not frozen, name
    for name, value in task.network.state_dict().items():  # statistics of BatchNorm too
        assert torch.equal(value, before[name]) or not name.startswith("encoder."), name
    assert not torch.equal(task.network.head.weight, before["head.weight"])  # type: ignore[arg-type, union-attr]


def test_what_a_loss_learns_is_trained_too() -> None:
    task = make({"lr": 1e-2, "lr_factors": {"encoder": 0.5}})
    task.loss = nn.PReLU()
    trained = {id(p) for group in task.configure_optimizers().param_groups for p in group["params"]}
    assert id(task.loss.weight) in trained


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (
            {"lr": 1e-2, "lr_factors": {"encode": 0.5}},
            r"encode is no module of the network, which has encoder",
        ),
        ({"lr": 1e-2, "lr_factors": {"encoder": -1}}, "must be a number of at least 0"),
        ({"lr": 1e-2, "lr_factors": {"encoder": math.nan}}, "encoder=nan must be a number of at least 0"),
        ({"lr": 1e-2, "lr_factors": {"encoder": math.inf}}, "encoder=inf must be a number of at least 0"),
        ({"lr_factors": {"encoder": 0.5}}, r"needs one as model\.optimizer\.lr\."),
        ({"lr": "fast", "lr_factors": {"encoder": 0.5}}, r"needs one as model\.optimizer\.lr\."),
        ({"lr": 1e-2, "lr_factors": 0.5}, "must name modules"),
    ],
)
def test_factors_that_cannot_be_are_refused(optimizer: dict[str, Any], words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        make(optimizer)


@pytest.mark.parametrize(
    ("schedule", "frequency"), [({"name": "step", "step_size": 3}, 1), ({"name": "plateau", "patience": 2}, 2)]
)
def test_only_plateau_waits_for_validations(schedule: dict[str, Any], frequency: int) -> None:
    """Of a training that validates every second epoch."""
    optimizer = build_optimizer({"name": "SGD", "lr": 1.0}, [nn.Parameter(torch.zeros(1))])
    built = build_schedule(schedule, optimizer, lambda: 1, 2)
    assert (built["interval"], built["frequency"], built["monitor"]) == ("epoch", frequency, "val/loss")


@pytest.mark.parametrize("schedule", ["cosine", {"name": ["cosine"]}, {"name": None}])
def test_a_schedule_without_a_name_is_refused(schedule: Any) -> None:
    optimizer = build_optimizer({"name": "SGD", "lr": 1.0}, [nn.Parameter(torch.zeros(1))])
    with pytest.raises(ColorizeError, match=r"model\.scheduler must be a mapping with a name"):
        build_schedule(schedule, optimizer, lambda: 1)


@pytest.mark.parametrize("name", ["Optimizer", "SparseAdam", "LBFGS"])
def test_optimizers_that_cannot_train_a_network_of_ours_are_unknown(name: str) -> None:
    with pytest.raises(ColorizeError, match=f"'{name}' is unknown"):
        build_optimizer({"name": name}, [nn.Parameter(torch.zeros(1))])
