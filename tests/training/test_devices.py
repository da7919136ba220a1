"""Which devices a run takes, as Lightning reads what it is asked for."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf

from colorize.errors import ColorizeError
from colorize.training.devices import device_ids, device_type, first_device

ASKED: list[tuple[Any, list[int]]] = [
    ("1", [0]),
    (1, [0]),
    (2, [0, 1]),
    ("0,1", [0, 1]),
    ([1], [1]),
    ("1,", [1]),
    ([2, 1], [2, 1]),
    ("auto", [0, 1, 2]),
    (-1, [0, 1, 2]),
    ("-1", [0, 1, 2]),
]


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def config(accelerator: str, devices: Any) -> Any:
    return OmegaConf.create({"accelerator": accelerator, "devices": devices})


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize("accelerator", ["auto", "gpu", "cuda"])
@pytest.mark.parametrize(("devices", "ids"), ASKED)
def test_gpus_are_those_that_lightning_takes(accelerator: str, devices: Any, ids: list[int]) -> None:
    assert device_ids(accelerator, devices) == ids
    assert first_device(config(accelerator, devices)) == ids[:1]
    assert device_type(accelerator) == "cuda"


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(("devices", "ids"), ASKED)
def test_lightning_itself_takes_these_gpus(devices: Any, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Trainer of a run, and the one that tests it; neither touches a GPU before it starts."""
    cfg = config("gpu", devices)
    quiet: dict[str, Any] = {"accelerator": "gpu", "logger": False, "enable_checkpointing": False}
    assert pl.Trainer(devices=cfg.devices, **quiet).device_ids == ids
    tester = pl.Trainer(devices=first_device(cfg), **quiet)
    assert tester.strategy.root_device == torch.device("cuda", ids[0])


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(("devices", "count"), [(1, 1), ("2", 2), (3, 3), ("auto", 1)])
def test_a_cpu_has_processes(devices: Any, count: int) -> None:
    assert device_ids("cpu", devices) == list(range(count))
    assert first_device(config("cpu", devices)) == 1
    assert device_type("cpu") == "cpu"


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(
    ("accelerator", "devices", "words"),
    [
        ("gpu", [3], "your machine only has"),
        ("cpu", [1], "should be an int"),
        ("gpu", "two", "invalid literal"),
        ("gpu", 0, "no device"),
    ],
)
def test_devices_that_are_not_there_are_refused(accelerator: str, devices: Any, words: str) -> None:
    with pytest.raises(ColorizeError, match=r"^trainer\.devices=.* with trainer\.accelerator=") as caught:
        device_ids(accelerator, OmegaConf.create({"devices": devices}).devices)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
