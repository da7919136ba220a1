"""Where a network runs, and in which precision."""

from typing import Any

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
        torch.empty(1, device=name).cpu()  # from meta nothing comes back
    except (RuntimeError, AssertionError, ModuleNotFoundError) as error:
        raise ColorizeError(f"device={name} is not available here: use device=auto or device=cpu.") from error
    return torch.device(name)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices of bfloat16 by itself, and not by way of float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # not in every torch we work with
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def automatic_precision(device: torch.device) -> torch.dtype:
    """What precision=auto means on a device, in training and in inference: bfloat16 where it has it, else float32."""
    return torch.bfloat16 if has_bfloat16(device) else torch.float32


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type that a network computes in: 32, bf16, 16, or "auto", see `automatic_precision`.

    Raises:
        ColorizeError: an unknown name.
    """
    if str(name) == "auto":
        return automatic_precision(device)
    if str(name) not in PRECISIONS:
        raise ColorizeError(f"precision={name} is unknown: use auto, {', '.join(PRECISIONS)}.")
    return PRECISIONS[str(name)]
