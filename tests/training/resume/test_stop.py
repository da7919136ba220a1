"""SIGTERM, Ctrl-C and Slurm's signal end a training after its checkpoint is written."""

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

from colorize.training.resume import LastCheckpoint, Stopped
from colorize.training.resume.stop import StopRequest
from tests.training.small import make_data, make_task, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")


class Signal(pl.Callback):
    """Sends this process a signal in the middle of something."""

    def __init__(self, number: int, hook: str, times: int = 1) -> None:
        self.number, self.times = number, times
        setattr(self, hook, self.send)

    def send(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step >= 3:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)


def fit(folder: Path, *callbacks: pl.Callback, ckpt_path: Path | None = None, **options: Any) -> pl.Trainer:
    pl.seed_everything(0, verbose=False)
    trainer = make_trainer(folder, [*callbacks, LastCheckpoint(str(folder))], **{"max_epochs": 2, **options})
    trainer.fit(make_task(), datamodule=make_data(train_size=40), ckpt_path=ckpt_path, weights_only=True)
    return trainer


def load(folder: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(folder / "last.ckpt", weights_only=True)
    return checkpoint


@pytest.mark.parametrize(
    ("hook", "step"),
    [("on_train_batch_start", 4), ("on_before_optimizer_step", 4), ("on_validation_batch_start", 5)],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_training_after_the_step_that_runs(number: int, hook: str, step: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as caught:
        fit(tmp_path / "run", Signal(number, hook))
    assert (caught.value.signal_number, caught.value.step) == (number, step)
    assert load(tmp_path / "run")["global_step"] == step
    assert signal.getsignal(number) == before
    fit(tmp_path / "run", ckpt_path=tmp_path / "run/last.ckpt")
    fit(tmp_path / "whole")
    ours, theirs = load(tmp_path / "run")["state_dict"], load(tmp_path / "whole")["state_dict"]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):  # by Lightning, for a KeyboardInterrupt
        fit(tmp_path, Signal(signal.SIGINT, "on_train_batch_start", times=2))
    assert not (tmp_path / "last.ckpt").exists()


def test_a_ctrl_c_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = StopRequest()
    try:
        stop.listen(trainer_under())
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        stop.end()
        signal.signal(signal.SIGINT, before)


def test_a_signal_in_the_last_step_ends_before_the_test(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fit(tmp_path, Signal(signal.SIGTERM, "on_validation_batch_start"), max_epochs=1)
    assert load(tmp_path)["resume"]["ended"]
    assert fit(tmp_path, ckpt_path=tmp_path / "last.ckpt", max_epochs=1).global_step == 5


def test_slurm_is_asked_to_queue_the_job_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/scontrol").write_text(f'#!/bin/sh\necho "$@" > {asked}\n')
    (tmp_path / "bin/scontrol").chmod(0o755)
    job = {"SLURM_JOB_ID": "17", "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}
    for name, value in {**job, "SLURM_JOB_NAME": "train", "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}.items():
        monkeypatch.setenv(name, value)
    options: dict[str, Any] = {"plugins": [SLURMEnvironment(auto_requeue=True)], "default_root_dir": tmp_path}
    with pytest.raises(Stopped):
        fit(tmp_path / "run", Signal(signal.SIGUSR1, "on_train_batch_start"), **options)
    assert asked.read_text().split() == ["requeue", "17"]
    assert load(tmp_path / "run")["global_step"] == 4
    by_lightning = torch.load(tmp_path / "hpc_ckpt_1.ckpt", weights_only=True)
    assert by_lightning["resume"]["processes"][0].keys() == load(tmp_path / "run")["resume"]["processes"][0].keys()


def test_a_signal_between_two_accumulated_batches_waits_for_the_step(tmp_path: Path) -> None:
    with pytest.raises(Stopped) as caught:
        fit(tmp_path, Signal(signal.SIGTERM, "on_train_batch_start"), accumulate_grad_batches=2)
    assert caught.value.step == load(tmp_path)["global_step"] == 4  # the sixth batch is the first of two


def trainer_under(environment: Any = None) -> Any:
    return SimpleNamespace(_accelerator_connector=SimpleNamespace(cluster_environment=environment))


@pytest.mark.parametrize(
    ("environment", "caught"),
    [
        (None, []),
        (SLURMEnvironment(auto_requeue=False), []),
        (SLURMEnvironment(auto_requeue=True), [signal.SIGUSR1]),
        (SLURMEnvironment(auto_requeue=True, requeue_signal=signal.SIGUSR2), [signal.SIGUSR2]),
    ],
    ids=["none", "no requeue", "default", "chosen"],
)
def test_the_signals_that_are_caught_are_given_back(environment: Any, caught: list[int]) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    before, stop = [signal.getsignal(number) for number in numbers], StopRequest()
    stop.received = signal.SIGTERM  # of a training before
    stop.listen(trainer_under(environment))
    assert stop.received is None
    found = [number for number in numbers if signal.getsignal(number) == stop._keep]
    stop.end()
    assert found == [signal.SIGINT, signal.SIGTERM, *caught]
    assert [signal.getsignal(number) for number in numbers] == before
    assert not stop.by_slurm
    stop.requeue()  # nothing without Slurm


def test_a_training_in_a_thread_of_its_own_catches_nothing() -> None:
    before, errors = signal.getsignal(signal.SIGINT), []

    def listen() -> None:
        try:
            StopRequest().listen(trainer_under())
        except ValueError as error:  # of Python, outside the main thread
            errors.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert not errors
    assert signal.getsignal(signal.SIGINT) == before


def test_only_ctrl_c_is_in_a_hurry() -> None:
    stop = StopRequest()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
        stop._keep(number, None)
        assert stop.received == number
    with pytest.raises(KeyboardInterrupt):
        stop._keep(signal.SIGINT, None)
