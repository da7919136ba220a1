"""Where a network runs, and in which precision."""

import torch

from colorize.errors import ColorizeError

PRECISIONS = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is cuda, then mps, then cpu.

    Raises:
        ColorizeError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ColorizeError(f"device={name} is not to be had here: use device=auto or device=cpu.") from error
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type that a network computes in; "auto" is bf16 on a GPU that has it, else 32.

    Raises:
        ColorizeError: an unknown name.
    """
    if str(name) == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float32
    if str(name) not in PRECISIONS:
        raise ColorizeError(f"precision={name} is unknown: use auto, {', '.join(PRECISIONS)}.")
    return PRECISIONS[str(name)]
