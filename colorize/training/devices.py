"""Which devices `trainer.accelerator` and `trainer.devices` stand for, as Lightning reads them."""

from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.accelerators import Accelerator, CPUAccelerator, CUDAAccelerator, MPSAccelerator

from colorize.errors import ColorizeError


def device_type(accelerator: str) -> str:
    """What `trainer.accelerator` is here: cpu, cuda or mps."""
    return _kind(accelerator).name()


def device_ids(accelerator: str, devices: Any) -> list[int]:
    """The numbers of the devices that a run takes on each node, e.g. [1, 3]; on a CPU those of its processes.

    Raises:
        ColorizeError: there are no such devices here.
    """
    kind = _kind(accelerator)
    if OmegaConf.is_list(devices):
        devices = OmegaConf.to_object(devices)
    try:
        ids = kind.parse_devices(kind.auto_device_count() if devices == "auto" else devices)
        if not ids:
            raise ValueError("no device is asked for")
    except (TypeError, ValueError, MisconfigurationException) as error:
        raise ColorizeError(
            f"trainer.devices={devices} cannot be used with trainer.accelerator={accelerator} "
            f"({' '.join(str(error).split())}): use trainer.devices=1."
        ) from error
    return list(range(ids)) if isinstance(ids, int) else list(ids)


def first_device(trainer: DictConfig) -> int | list[int]:
    """The `devices` that make another Trainer run on the first device of a configured one, in one process."""
    ids = device_ids(trainer.accelerator, trainer.devices)
    return 1 if device_type(trainer.accelerator) == "cpu" else ids[:1]


def _kind(accelerator: str) -> type[Accelerator]:
    kinds: tuple[type[Accelerator], ...] = (MPSAccelerator, CUDAAccelerator)  # in Lightning's order
    for kind in kinds:
        if accelerator in ("auto", "gpu", kind.name()) and kind.is_available():
            return kind
    return CPUAccelerator
