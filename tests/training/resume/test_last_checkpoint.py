"""When last.ckpt is written, by what, and what a training takes from it."""

import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Callback

from colorize.errors import ColorizeError
from colorize.training.loggers import MetricsCSV
from colorize.training.resume import LastCheckpoint
from colorize.training.resume.checkpoint_io import WholeCheckpointIO
from tests.training.small import make_data, make_task, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")
MODULE: Any = None


class Saves(LastCheckpoint):
    """Keeps the steps after which it is written."""

    def __init__(self, *arguments: Any, **limits: Any) -> None:
        super().__init__(*arguments, **limits)
        self.steps: list[int] = []
        self.spares: list[bool] = []

    def _save(self, trainer: pl.Trainer, ended: bool = False) -> None:
        super()._save(trainer, ended)
        self.steps.append(trainer.global_step)
        self.spares.append(self.path.with_name("previous.ckpt").is_file())


def fit(last: LastCheckpoint, folder: Path, *callbacks: Callback, **options: Any) -> pl.Trainer:
    """One epoch of five batches."""
    ckpt_path = options.pop("ckpt_path", None)
    trainer = make_trainer(folder, [*callbacks, last], **{"max_epochs": 1, **options})
    trainer.fit(make_task(), datamodule=make_data(train_size=40), ckpt_path=ckpt_path, weights_only=True)
    return trainer


def load(path: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True)
    return checkpoint


@pytest.mark.parametrize("key", ["every_n_train_steps", "every_n_minutes"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_that_never_ends_is_refused(key: str, value: int, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=rf"^callbacks\.last\.{key} is {value}, but must be above 0, or null\.$"):
        LastCheckpoint(str(tmp_path), **{key: value})


def test_its_place_does_not_move_with_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    last = LastCheckpoint("run")
    monkeypatch.chdir("/")
    assert last.path == tmp_path / "run/last.ckpt"


@pytest.mark.parametrize(
    ("limits", "options", "steps"),
    [
        ({}, {}, [5]),
        ({}, {"max_epochs": 2}, [5, 10]),
        ({"every_n_train_steps": 2}, {}, [2, 4, 5]),
        ({"every_n_train_steps": 1}, {}, [1, 2, 3, 4, 5]),
        ({"every_n_minutes": 60}, {}, [5]),
        ({"every_n_minutes": 1e-9}, {}, [1, 2, 3, 4, 5]),
        ({"every_n_train_steps": 1}, {"accumulate_grad_batches": 2}, [1, 2, 3]),
        ({"every_n_train_steps": 1}, {"val_check_interval": 2}, [1, 3, 5]),
    ],
    ids=str,
)
def test_it_is_written_when_it_is_due(
    limits: dict[str, Any], options: dict[str, Any], steps: list[int], tmp_path: Path
) -> None:
    last = Saves(str(tmp_path), **limits)
    fit(last, tmp_path, **options)
    assert last.steps == steps
    assert last.spares == [False] + [True] * (len(steps) - 1)
    assert load(tmp_path / "last.ckpt")["global_step"] == steps[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "last.ckpt"}  # no previous.ckpt


def test_minutes_count_from_the_last_one_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    last, trainer = LastCheckpoint(str(tmp_path), every_n_minutes=2), SimpleNamespace(global_step=7, fast_dev_run=True)
    last._save(trainer)  # type: ignore[arg-type]
    due = []
    for clock[0] in (1000.0, 1119.0, 1120.0):
        due.append(last._due(trainer))  # type: ignore[arg-type]
    assert due == [False, False, True]
    last._save(trainer)  # type: ignore[arg-type]
    assert not last._due(trainer)  # type: ignore[arg-type]


def test_a_trial_of_one_batch_writes_nothing(tmp_path: Path) -> None:
    fit(LastCheckpoint(str(tmp_path), every_n_train_steps=1), tmp_path, fast_dev_run=True)
    assert not list(tmp_path.iterdir())


def test_the_one_before_stays_where_the_last_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename may fail when the one before has made room already."""
    replace = Path.replace

    def fails(path: Path, target: Path) -> Path:
        if target.name == "last.ckpt" and target.with_name("previous.ckpt").is_file():
            raise OSError("no more")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fails)
    fit(LastCheckpoint(str(tmp_path), every_n_train_steps=3), tmp_path)
    assert not (tmp_path / "last.ckpt").exists()
    assert load(tmp_path / "previous.ckpt")["global_step"] == 3


class Own(TorchCheckpointIO):
    """A user's own way to write."""


def test_checkpoints_are_written_whole_unless_another_way_is_chosen(tmp_path: Path) -> None:
    last, kept = LastCheckpoint(str(tmp_path)), TorchCheckpointIO()
    trainer: Any = SimpleNamespace(strategy=SimpleNamespace(checkpoint_io=kept))
    last.setup(trainer, MODULE, "test")
    assert trainer.strategy.checkpoint_io is kept
    last.setup(trainer, MODULE, "fit")
    assert isinstance(trainer.strategy.checkpoint_io, WholeCheckpointIO)
    assert isinstance(fit(last, tmp_path / "ours").strategy.checkpoint_io, WholeCheckpointIO)
    trainer = fit(LastCheckpoint(str(tmp_path / "own")), tmp_path / "own", plugins=[own := Own()])
    assert trainer.strategy.checkpoint_io is own
    assert load(tmp_path / "own/last.ckpt")["resume"]["ended"]


def test_signals_are_given_back_before_the_others_clean_up(tmp_path: Path) -> None:
    """Else a Ctrl-C would be kept that nobody asks for any more."""
    handlers = []

    class See(Callback):
        def on_fit_end(self, trainer: pl.Trainer, module: Any) -> None:
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    fit(LastCheckpoint(str(tmp_path)), tmp_path, See())
    last = LastCheckpoint(str(tmp_path))
    trainer: Any = SimpleNamespace(_accelerator_connector=SimpleNamespace(cluster_environment=None))
    last.stop.listen(trainer)
    handlers.append(signal.getsignal(signal.SIGINT))
    last.on_exception(trainer, MODULE, ValueError())
    handlers.append(signal.getsignal(signal.SIGINT))
    assert handlers == [before, last.stop._keep, before]


def test_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    fit(LastCheckpoint(str(tmp_path)), tmp_path)
    checkpoint = load(tmp_path / "last.ckpt")
    checkpoint["resume"]["processes"] *= 2
    torch.save(checkpoint, tmp_path / "two.ckpt")
    with pytest.raises(ColorizeError, match=r"in 2 processes, but this one has 1: give trainer\.devices=2, or"):
        fit(LastCheckpoint(str(tmp_path)), tmp_path, max_epochs=2, ckpt_path=tmp_path / "two.ckpt")


def test_it_says_how_far_the_training_and_its_log_are(tmp_path: Path) -> None:
    last = LastCheckpoint(str(tmp_path), every_n_train_steps=3)
    kept: list[dict[str, Any]] = []

    class Keep(Callback):
        def on_save_checkpoint(self, trainer: pl.Trainer, module: Any, checkpoint: dict[str, Any]) -> None:
            kept.append(checkpoint)

    logger = MetricsCSV(str(tmp_path))
    trainer = fit(last, tmp_path, Keep(), logger=logger, log_every_n_steps=1)
    inside, best, ended = (checkpoint.get("resume") for checkpoint in kept)
    assert best is None  # nothing goes on exactly from there
    assert (inside["ended"], ended["ended"]) == (False, True)
    assert (inside["stopped_early"], ended["stopped_early"]) == (False, trainer.should_stop)
    assert 0 < inside["metrics_rows"] < ended["metrics_rows"] == len((tmp_path / "metrics.csv").read_text().split()) - 1
    assert (inside["val_floor_is_logged"], ended["val_floor_is_logged"]) == (False, True)


@pytest.mark.parametrize(("folder", "known"), [("run", True), ("another", False)])
def test_a_floor_is_logged_once_in_each_metrics_csv(folder: str, known: bool, tmp_path: Path) -> None:
    fit(LastCheckpoint(str(tmp_path / "run")), tmp_path / "run")
    seen = []

    class See(Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, module: Any, *_: Any) -> None:
            seen.append(module._val_floor_is_logged)

    last = LastCheckpoint(str(tmp_path / folder))
    fit(last, tmp_path / folder, See(), max_epochs=2, num_sanity_val_steps=0, ckpt_path=tmp_path / "run/last.ckpt")
    assert seen[0] is known


def test_a_training_that_had_stopped_early_goes_on_as_a_new_run(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
            trainer.should_stop = True

    run = tmp_path / "run"
    assert fit(LastCheckpoint(str(run)), run, Stop(), max_epochs=3).global_step == 5
    longer: dict[str, Any] = {"max_epochs": 3, "ckpt_path": run / "last.ckpt"}
    assert fit(LastCheckpoint(str(tmp_path / "new")), tmp_path / "new", **longer).global_step == 15
    assert fit(LastCheckpoint(str(run), resume=True), run, **longer).global_step == 5
