"""Which devices share an album, and that one of them needs no Lightning."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from colorize.album.devices import one_device, open_ranks
from colorize.album.ranks import Ranks
from colorize.album.stop import Stop
from colorize.errors import ColorizeError

REPO = Path(__file__).resolve().parents[2]
LIGHT = (
    "colorize.interrupt",
    "colorize.commands.predict",
    "colorize.commands.start",
    "colorize.files",
    "colorize.inference.colorizer",
    *(
        f"colorize.album.{name}"
        for name in ("devices", "ledger", "outcome", "pipeline", "plan", "settings", "share", "stop")
    ),
)
HEAVY = {"pytorch_lightning", "lightning_fabric", "torchmetrics", "torchvision", "wandb", "matplotlib"}


def test_one_device_needs_no_lightning() -> None:
    opened = 'open_ranks({"accelerator": "cpu", "devices": 1, "strategy": "auto", "num_nodes": 1}, Stop())'
    lines = [f"import {name}" for name in LIGHT]
    lines += ["from colorize.album.devices import open_ranks", "from colorize.album.stop import Stop", opened]
    lines += ["import json, sys", "print(json.dumps([name.partition('.')[0] for name in sys.modules]))"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=REPO, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stdout))
    assert "torch" in imported
    assert not imported & HEAVY


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Any:
    def have(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    return have


@pytest.mark.parametrize(
    ("count", "accelerator", "devices", "expected"),
    [
        (0, "auto", 1, "cpu"),
        (0, "auto", "auto", "cpu"),
        (0, "cpu", "1", "cpu"),
        (0, "cpu", 2, None),
        (0, "auto", "2", None),
        (1, "auto", 1, "cuda"),
        (1, "gpu", -1, "cuda"),
        (1, "cpu", "auto", "cpu"),
        (2, "gpu", "auto", None),
        (2, "cuda", -1, None),
        (2, "cuda", [1], "cuda:1"),
        (2, "auto", "1,", "cuda:1"),
        (2, "gpu", [0, 1], None),
        (2, "gpu", "0,1", None),
    ],
)
def test_one_device_or_several(gpus: Any, count: int, accelerator: str, devices: Any, expected: str | None) -> None:
    gpus(count)
    assert one_device(accelerator, OmegaConf.create({"devices": devices}).devices) == expected


@pytest.mark.parametrize(
    ("count", "accelerator", "devices", "words"),
    [
        (0, "gpu", 1, "trainer.accelerator=gpu is not available here: give auto or cpu"),
        (0, "mps", 1, "trainer.accelerator=mps is not available here"),
        (0, "tpu", 1, "trainer.accelerator=tpu is unknown: give auto, cpu, gpu, cuda, mps"),
        (0, "cpu", 0, "trainer.devices=0 is not possible with trainer.accelerator=cpu: give the number of devices"),
        (0, "cpu", [0], r"trainer.devices=\[0\] is not possible"),
        (0, "cpu", "two", "trainer.devices=two is not possible"),
        (0, "cpu", None, "trainer.devices=None is not possible"),
        (2, "gpu", [2], r"trainer.devices=\[2\] is not possible with trainer.accelerator=gpu"),
        (2, "gpu", 3, "trainer.devices=3 is not possible"),
        (2, "gpu", [], "is not possible"),
    ],
)
def test_devices_that_are_not_there_are_named(
    gpus: Any, count: int, accelerator: str, devices: Any, words: str
) -> None:
    gpus(count)
    with pytest.raises(ColorizeError, match=words):
        one_device(accelerator, devices)


@pytest.mark.parametrize("machines", [0, "two", None, 1.5])
def test_a_number_of_machines_that_cannot_be_is_named(machines: Any) -> None:
    trainer = {"accelerator": "cpu", "devices": 1, "strategy": "auto", "num_nodes": machines}
    with pytest.raises(ColorizeError, match=f"^trainer.num_nodes={machines} is not possible: give the number of mach"):
        open_ranks(trainer, Stop())


def test_a_rank_alone_is_the_first_and_only_one() -> None:
    trainer = {"accelerator": "cpu", "devices": 1, "strategy": "ddp", "num_nodes": 1}
    with open_ranks(trainer, Stop()) as ranks:
        assert type(ranks) is Ranks
        assert (ranks.device, ranks.rank, ranks.world, ranks.on_machine) == ("cpu", 0, 1, 1)
        assert ranks.connect("jobs") == "jobs"
        ranks.wait()
        assert ranks.gather(3) == [3]
