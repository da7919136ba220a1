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
    if isinstance(value, type) and issubclass(value, Optimizer) and name not in ("Optimizer", "SparseAdam", "LBFGS")
}  # SparseAdam takes no dense gradients, LBFGS none in channels-last memory


def cosine(
    optimizer: Optimizer, total_steps: int, warmup_fraction: float = 0.05, final_fraction: float = 0.01
) -> lr_scheduler.LambdaLR:
    """Linear warm-up over `warmup_fraction` of the steps, then half a cosine down to `final_fraction` of the rate.

    Raises:
        ValueError: a fraction that is not from 0 to 1; a rate below 0 would raise the loss.
    """
    for name, fraction in (("warmup_fraction", warmup_fraction), ("final_fraction", final_fraction)):
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name} is {fraction}, but must be from 0 to 1")
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
    """Any optimizer of torch.optim for gradients such as ours, from e.g. `{"name": "AdamW", "lr": 1e-3}`.

    Raises:
        ColorizeError: no such optimizer, or arguments that it refuses.
    """
    if isinstance(spec, Mapping):
        spec = {key: value for key, value in spec.items() if key != LR_FACTORS}
    return build("model.optimizer", OPTIMIZERS, spec, parameters)


def modules_with_factors(spec: Mapping[str, Any], network: nn.Module) -> dict[nn.Module, float]:
    """The modules of a network whose learning rate is multiplied by a factor of their own.

    Args:
        spec: of the optimizer, with `lr_factors`, e.g. `{"encoder": 0.5}`, or without.
        network: whose modules they are.

    Raises:
        ColorizeError: a factor that is not finite or below 0, without a number as `lr`, or for a module that the
            network does not have.
    """
    known = dict(network.named_children())
    factors = (spec.get(LR_FACTORS) if isinstance(spec, Mapping) else None) or {}  # else `build_optimizer` refuses it
    if not isinstance(factors, Mapping):
        raise ColorizeError(f"model.optimizer.{LR_FACTORS}={factors} must name modules: {{encoder: 0.5}}, say.")
    for name, factor in factors.items():
        if name not in known:
            raise ColorizeError(
                f"model.optimizer.{LR_FACTORS}.{name} is no module of the network, which has {', '.join(known)}."
            )
        if not (isinstance(factor, int | float) and 0 <= factor < math.inf and isinstance(spec.get("lr"), int | float)):
            raise ColorizeError(
                f"model.optimizer.{LR_FACTORS}.{name}={factor} must be a number of at least 0, and needs one as "
                "model.optimizer.lr."
            )
    return {known[name]: float(factor) for name, factor in factors.items()}


def freeze(spec: Mapping[str, Any], network: nn.Module) -> None:
    """Freeze the modules whose factor is 0: they get no gradients, and their BatchNorm keeps its statistics.

    To be done before DDP wraps the network, since it waits for the gradients of all that requires them. Lightning keeps
    the mode of each module.
    """
    for module, factor in modules_with_factors(spec, network).items():
        if factor == 0:
            module.requires_grad_(False).eval()


def parameter_groups(
    spec: Mapping[str, Any], network: nn.Module, parameters: Iterable[nn.Parameter]
) -> list[dict[str, Any]]:
    """The trained ones of `parameters`, those of modules with a factor in groups with a learning rate of their own."""
    rest = {id(parameter): parameter for parameter in parameters if parameter.requires_grad}
    groups = []
    for module, factor in modules_with_factors(spec, network).items():
        own = [rest.pop(id(parameter)) for parameter in module.parameters() if id(parameter) in rest]
        groups.append({"params": own, "lr": spec["lr"] * factor})
    return [group for group in ({"params": [*rest.values()]}, *groups) if group["params"]]


def build_schedule(
    spec: Mapping[str, Any], optimizer: Optimizer, total_steps: Callable[[], int], epochs_per_validation: int = 1
) -> dict[str, Any]:
    """A schedule as Lightning wants it; `total_steps` is only asked for by schedules that go by steps.

    plateau moves at the end of each epoch that validates, one of `epochs_per_validation`; its `patience` counts these.
    """
    if isinstance(spec, Mapping) and spec.get("name") in [*SCHEDULES_BY_STEP]:  # a list, for a name may be no string
        schedule = build("model.scheduler", SCHEDULES_BY_STEP, spec, optimizer, total_steps())
        return {"scheduler": schedule, "interval": "step"}
    known = {**SCHEDULES_BY_STEP, **SCHEDULES_BY_EPOCH}
    schedule = build("model.scheduler", known, spec, optimizer)
    frequency = epochs_per_validation if spec["name"] == "plateau" else 1
    return {"scheduler": schedule, "interval": "epoch", "frequency": frequency, "monitor": "val/loss"}
