"""A W&B run of its own, the rows of its table, and the run that a checkpoint names."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import wandb
from skimage.metrics import peak_signal_noise_ratio

from colorize.errors import ColorizeError
from colorize.metrics import color_metrics
from colorize.targets import RGBTarget
from colorize.tasks import ReconstructionTask, RGBTask
from colorize.tasks.base import Task
from colorize.training.loggers.wandb import COLUMNS, finish, read_run_id, table_rows, wandb_logger


@pytest.fixture(autouse=True)
def no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_without_a_login_each_run_is_an_offline_run_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    for number in range(2):
        logger = wandb_logger(str(folder), project="colorize", name=f"run {number}")
        finish(logger, exit_code=0)
    assert [record.name for record in caplog.records].count("colorize.training.loggers.wandb") == 2
    commands = [line for line in capsys.readouterr().out.splitlines() if line.startswith("upload: wandb sync ")]
    runs = sorted(folder.glob("wandb/offline-run-*"))
    assert len(runs) == 2
    assert sorted(commands) == [f"upload: wandb sync '{run}'" for run in runs]
    assert "WANDB_MODE" not in os.environ
    assert wandb.run is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tags": "quick"}, r"logger\.wandb\.tags=\[quick\]"),
        ({"tags": None}, r"logger\.wandb\.tags=None is no list"),
        ({"tags": ["x" * 65]}, "65 characters"),
        ({"project": "a/b"}, "a/b"),
    ],
)
def test_what_wandb_refuses_is_one_sentence(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=words) as refused:
        wandb_logger(str(tmp_path), **({"project": "colorize", "name": "run"} | settings))
    assert len(str(refused.value).splitlines()) == 1  # of more, only the first would be printed
    assert wandb.run is None


def checkpoint(path: Path, **content: Any) -> Path:
    torch.save({"task": "LabTask", "hyper_parameters": {}, "state_dict": {}, **content}, path)
    return path


def test_a_checkpoint_names_its_run(tmp_path: Path) -> None:
    assert read_run_id(checkpoint(tmp_path / "a.ckpt", wandb_run_id="3bl0ijn4")) == "3bl0ijn4"
    assert read_run_id(checkpoint(tmp_path / "b.ckpt", wandb_run_id="my.run-2")) == "my.run-2"
    assert read_run_id(checkpoint(tmp_path / "c.ckpt")) is None
    assert read_run_id(checkpoint(tmp_path / "d.ckpt", wandb_run_id=None)) is None


@pytest.mark.parametrize("run_id", ["", "../../x", "a b", "a\n", "x" * 129, 7, ["3bl0ijn4"]])
def test_a_strangers_run_id_is_refused(run_id: Any, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "a.ckpt", wandb_run_id=run_id)
    with pytest.raises(ColorizeError, match=r"a\.ckpt is no id of a W&B run: .*logger=csv"):
        read_run_id(path)


def make_task(kind: type[Task]) -> Task:
    torch.manual_seed(0)
    return kind({"name": "UNet", "width": 4, "depth": 1}, {"name": "mse"}, {"name": "Adam"}).eval()


def test_rows_hold_the_metrics_of_each_picture() -> None:
    task, rng = make_task(RGBTask), np.random.default_rng(0)
    batch = {
        "rgb": torch.from_numpy(rng.integers(0, 256, (3, 3, 16, 16), dtype=np.uint8)),
        "index": torch.tensor([5, 9, 2]),
    }
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table_rows(task, batch)]
    assert [row["index"] for row in rows] == [5, 9, 2]
    with torch.no_grad():
        _, prediction, true = task.pictures(batch)
    for number, row in enumerate(rows):
        truth = batch["rgb"][number].permute(1, 2, 0).numpy()
        assert (row["truth"] == truth).all()
        assert (row["input"] == row["input"][..., :1]).all()
        assert row["psnr"] == pytest.approx(peak_signal_noise_ratio(truth, row["prediction"]), abs=0.02)
        alone = color_metrics()
        alone.update(prediction[number : number + 1], true[number : number + 1])
        assert row["psnr"] == pytest.approx(alone["psnr"].compute().item(), rel=1e-5)
        assert row["delta_e"] == pytest.approx(alone["delta_e"].compute().item(), rel=1e-5)


def test_the_psnr_of_a_perfect_picture_is_left_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(ReconstructionTask)
    batch = {"rgb": torch.full((1, 3, 8, 8), 100, dtype=torch.uint8), "index": torch.tensor([0])}
    monkeypatch.setattr(RGBTarget, "to_rgb", lambda self, x, prediction: self.truth(batch))
    (row,) = table_rows(task, batch)
    assert row[-2:] == [None, pytest.approx(0, abs=1e-4)]
