"""Which devices share an album: one, without Lightning, or several, one process for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from colorize.album.ranks import Ranks
from colorize.album.stop import Stop
from colorize.errors import ColorizeError

ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")


def open_ranks(trainer: Mapping[str, Any], stop: Stop) -> Ranks:
    """The ranks that the keys of `trainer` ask for: Lightning's accelerator, devices, strategy and num_nodes.

    Raises:
        ColorizeError: there is no such accelerator or device here, or no such number of machines.
    """
    machines = trainer["num_nodes"]
    if type(machines) is not int or machines < 1:
        raise ColorizeError(f"trainer.num_nodes={machines} is not possible: give the number of machines.")
    device = one_device(trainer["accelerator"], trainer["devices"]) if machines == 1 else None
    if device is not None:
        return Ranks(device)
    from colorize.album.fabric import FabricRanks  # Lightning takes seconds to import

    return FabricRanks(trainer, stop)


def one_device(accelerator: str, devices: object) -> str | None:
    """The device, if it is one; None if there are several.

    Args:
        accelerator: auto, cpu, gpu, cuda or mps.
        devices: a number of devices (-1 or "auto" for all), a list of the indices of GPUs, or such a list as text.

    Raises:
        ColorizeError: there is no such accelerator or device here.
    """
    kind = _kind(accelerator)
    wrong = ColorizeError(
        f"trainer.devices={devices} is not possible with trainer.accelerator={accelerator}: give the number of "
        "devices, auto for all there are, or a list of the indices of GPUs such as [0,1]."
    )
    available = torch.cuda.device_count() if kind == "cuda" else 1
    if isinstance(devices, str) and devices != "auto":
        words = [word for word in devices.split(",") if word.strip()]
        try:
            devices = [int(word) for word in words] if "," in devices else int(devices)
        except ValueError:
            raise wrong from None
    if devices in ("auto", -1):
        return kind if available == 1 else None
    if type(devices) is int:
        if devices < 1 or (kind != "cpu" and devices > available):
            raise wrong
        return kind if devices == 1 else None
    indices = [*devices] if isinstance(devices, Sequence) else []
    if kind == "cpu" or not indices or any(type(i) is not int or not 0 <= i < available for i in indices):
        raise wrong
    return f"{kind}:{indices[0]}" if len(indices) == 1 else None


def _kind(accelerator: str) -> str:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    match accelerator:
        case "cpu":
            return "cpu"
        case "cuda" | "gpu" | "auto" if cuda:
            return "cuda"
        case "mps" | "gpu" | "auto" if mps:
            return "mps"
        case "auto":
            return "cpu"
    if accelerator in ACCELERATORS:
        raise ColorizeError(f"trainer.accelerator={accelerator} is not available here: give auto or cpu.")
    raise ColorizeError(f"trainer.accelerator={accelerator} is unknown: give {', '.join(ACCELERATORS)}.")
