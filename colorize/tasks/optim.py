"""Optimizers and learning-rate schedules by name."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from colorize.errors import ColorizeError
from colorize.registry import build

LR_FACTORS = "lr_factors"
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    name: value
    for name, value in vars(torch.optim).items()
    if isinstance(value, type) and issubclass(value, Optimizer) and value is not Optimizer
}


def cosine(
    optimizer: Optimizer, total_steps: int, warmup_fraction: float = 0.05, final_fraction: float = 0.01
) -> lr_scheduler.LambdaLR:
    """Linear warm-up over `warmup_fraction` of the steps, then half a cosine down to `final_fraction` of the rate."""
    warmup = max(1, round(total_steps * warmup_fraction))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
        return final_fraction + (1 - final_fraction) * 0.5 * (1 + math.cos(math.pi * progress))

    return lr_scheduler.LambdaLR(optimizer, factor)


SCHEDULES_BY_STEP: dict[str, Callable[..., Any]] = {"cosine": cosine}
SCHEDULES_BY_EPOCH: dict[str, Callable[..., Any]] = {
    "step": lr_scheduler.StepLR,
    "multi_step": lr_scheduler.MultiStepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "plateau": lr_scheduler.ReduceLROnPlateau,
}


def build_optimizer(spec: Mapping[str, Any], parameters: Iterable[Tensor] | Iterable[dict[str, Any]]) -> Optimizer:
    """Any optimizer of torch.optim, from e.g. `{"name": "AdamW", "lr": 1e-3}`."""
    return build(
        "model.optimizer", OPTIMIZERS, {key: value for key, value in spec.items() if key != LR_FACTORS}, parameters
    )


def parameter_groups(spec: Mapping[str, Any], network: nn.Module) -> list[dict[str, Any]]:
    """The network's parameters, those of some of its modules with a learning rate of their own.

    Args:
        spec: of the optimizer; `lr_factors`, e.g. `{"encoder": 0.5}`, says by what the rate of a module is multiplied.
            0 freezes it: its parameters then have no gradient.
        network: whose parameters they are.

    Raises:
        ColorizeError: a factor below 0, without `lr`, or for a module that the network does not have.
    """
    factors = spec.get(LR_FACTORS) or {}
    groups = []
    taken: set[int] = set()
    for name, factor in factors.items():
        module = dict(network.named_children()).get(name)
        if module is None:
            known = ", ".join(name for name, _ in network.named_children())
            raise ColorizeError(f"model.optimizer.{LR_FACTORS}.{name} is no module of the network, which has {known}.")
        if not isinstance(factor, int | float) or factor < 0 or "lr" not in spec:
            raise ColorizeError(f"model.optimizer.{LR_FACTORS}.{name}={factor} must be at least 0, and needs an lr.")
        module.requires_grad_(factor > 0)
        taken |= {id(parameter) for parameter in module.parameters()}
        if factor > 0:
            groups.append({"params": list(module.parameters()), "lr": spec["lr"] * factor})
    rest = [parameter for parameter in network.parameters() if id(parameter) not in taken]
    return [{"params": rest}, *groups] if rest else groups


def build_schedule(
    spec: Mapping[str, Any], optimizer: Optimizer, total_steps: Callable[[], int], epochs_per_validation: int = 1
) -> dict[str, Any]:
    """A schedule as Lightning wants it; `total_steps` is only asked for by schedules that go by steps.

    plateau moves once per validation, of which there is one every `epochs_per_validation` epochs; its `patience` counts
    them.
    """
    if isinstance(spec, Mapping) and spec.get("name") in SCHEDULES_BY_STEP:
        schedule = build("model.scheduler", SCHEDULES_BY_STEP, spec, optimizer, total_steps())
        return {"scheduler": schedule, "interval": "step"}
    known = {**SCHEDULES_BY_STEP, **SCHEDULES_BY_EPOCH}
    schedule = build("model.scheduler", known, spec, optimizer)
    frequency = epochs_per_validation if spec["name"] == "plateau" else 1
    return {"scheduler": schedule, "interval": "epoch", "frequency": frequency, "monitor": "val/loss"}
