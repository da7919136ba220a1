"""Devices that there are, and the precision that each computes in when none is asked for."""

import pytest
import torch

from colorize.errors import ColorizeError
from colorize.inference.device import choose_device, choose_precision, has_bfloat16

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("name", ["meta", "hpu", "privateuseone", "cuda:99", "nothing", ""])
def test_a_device_that_no_picture_comes_back_from_is_refused(name: str) -> None:
    with pytest.raises(ColorizeError, match=f"device={name} is not available here: use device=auto or device=cpu"):
        choose_device(name)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_f": True}, False),
        ({}, False),
    ],
)
def test_a_cpu_says_whether_it_has_bfloat16(
    capabilities: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert has_bfloat16(CPU) is expected
    assert choose_precision("auto", CPU) is (torch.bfloat16 if expected else torch.float32)


def test_an_older_torch_says_nothing_of_its_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert has_bfloat16(CPU) is False


@pytest.mark.parametrize(("has", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_gpu_computes_in_bfloat16_where_it_has_it(
    has: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert choose_precision("auto", CUDA) is expected
    assert choose_precision("32", CUDA) is torch.float32
