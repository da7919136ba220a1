"""A resume in the middle of an epoch: of a task that counts colours, of data that is drawn by weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from colorize.data.base import ImageData
from colorize.data.folder import FolderData
from colorize.images import write_photograph
from colorize.tasks import LabBinsTask, Task
from colorize.training.resume import LastCheckpoint, Stopped
from tests.training.resume.test_stop import Signal
from tests.training.small import make_data, make_task, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")
TERM = 15


def fit(folder: Path, task: Task, data: ImageData, *callbacks: pl.Callback, resume: bool = False) -> None:
    torch.manual_seed(1)
    trainer = make_trainer(folder, [*callbacks, LastCheckpoint(str(folder))], max_epochs=2)
    trainer.fit(task, datamodule=data, ckpt_path=folder / "last.ckpt" if resume else None, weights_only=True)


def same_weights(folder: Path, other: Path) -> bool:
    ours, theirs = (torch.load(path / "last.ckpt", weights_only=True)["state_dict"] for path in (folder, other))
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def make_bins_task() -> LabBinsTask:
    torch.manual_seed(0)
    return LabBinsTask(
        network={"name": "UNet", "width": 4, "depth": 1},
        loss={"name": "soft_cross_entropy"},
        optimizer={"name": "SGD", "lr": 0.05},
    )


def test_colours_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"train_size": 40}
    fit(tmp_path / "whole", make_bins_task(), make_data(**options))
    with pytest.raises(Stopped):
        fit(tmp_path / "run", make_bins_task(), make_data(**options), Signal(TERM, "on_train_batch_start"))
    monkeypatch.delattr(LabBinsTask, "_count_colors")
    fit(tmp_path / "run", make_bins_task(), make_data(**options), resume=True)
    assert same_weights(tmp_path / "run", tmp_path / "whole")


def test_draws_by_weights_go_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(30):
            path = tmp_path / folder / f"{folder}{number}.png"
            write_photograph(path, rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))

    def make() -> tuple[Task, FolderData]:
        torch.manual_seed(0)
        roots, cache = [str(tmp_path / folder) for folder in ("a", "b")], str(tmp_path / "cache")
        return make_task(), FolderData(roots, None, cache, 16, 8, 0.2, 0.1, 0.05, weights=[3, 1])

    fit(tmp_path / "whole", *make())
    with pytest.raises(Stopped):
        fit(tmp_path / "run", *make(), Signal(TERM, "on_train_batch_start"))
    assert torch.load(tmp_path / "run/last.ckpt", weights_only=True)["global_step"] == 4  # in the first epoch
    fit(tmp_path / "run", *make(), resume=True)
    assert same_weights(tmp_path / "run", tmp_path / "whole")
