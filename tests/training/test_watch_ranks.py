"""A process of a training that ends before the others: one sentence, and no process stays behind."""

import os
import pickle
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from colorize.training.callbacks import watch_ranks
from colorize.training.callbacks.watch_ranks import WatchRanks

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # `ended` raises it
MODULE: Any = None
LASTING = "exec sleep 60"


class Processes:
    """Processes, and the trainer that has started them."""

    def __init__(self, folder: Path) -> None:
        self.all: list[subprocess.Popen[bytes]] = []
        self.launcher = SimpleNamespace(procs=[])
        strategy = SimpleNamespace(launcher=self.launcher)
        self.trainer: Any = SimpleNamespace(strategy=strategy, default_root_dir=str(folder / "a run"))

    def start(self, *commands: str) -> list[subprocess.Popen[bytes]]:
        self.all = [subprocess.Popen(["/bin/sh", "-c", command]) for command in commands]
        self.launcher.procs = [*self.all]
        return self.all


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    for process in started.all:
        process.kill()
        process.wait()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set where the process of the test would have been ended, with exit code 1."""
    event = threading.Event()

    def end(code: int) -> NoReturn:
        assert code == 1
        event.set()
        raise SystemExit

    monkeypatch.setattr(os, "_exit", end)
    return event


def test_a_killed_process_ends_all_with_one_sentence(
    processes: Processes, ended: threading.Event, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, third = processes.start(LASTING, LASTING)
    WatchRanks().setup(processes.trainer, MODULE, "fit")
    assert not processes.launcher.procs  # Lightning's watcher, which says nothing, has none to look at
    third.kill()
    assert ended.wait(30)
    assert second.wait(30) == -9
    assert capsys.readouterr().err == (
        "error: process 3 of 3 was killed by signal 9, which ends the training: "
        f"'ckpt_path='\"'\"'{tmp_path}/a run/checkpoints/last.ckpt'\"'\"'' goes on from the last checkpoint.\n"
    )


def test_an_error_of_one_process_alone_ends_the_others(
    processes: Processes,
    ended: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(watch_ranks, "SECONDS", 0)
    _, third = processes.start("exit 3", LASTING)
    WatchRanks().setup(processes.trainer, MODULE, "fit")
    assert ended.wait(30)
    assert third.wait(30) == -9
    assert "error: process 2 of 3 ended with exit code 3, which ends the training: " in capsys.readouterr().err


@pytest.mark.parametrize("commands", [("exit 0", LASTING), ("exit 3", LASTING)])
def test_after_the_training_no_process_is_waited_for(
    commands: tuple[str, ...], processes: Processes, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends well is no error, and one whose error this process has too is told of by this one."""
    monkeypatch.setattr(watch_ranks, "SECONDS", 60)
    watch = WatchRanks()
    first, other = processes.start(*commands)
    watch.setup(processes.trainer, MODULE, "fit")
    first.wait(30)
    assert not ended.wait(0.3)
    watch.teardown(processes.trainer, MODULE, "fit")
    assert not ended.wait(0.3)
    assert other.poll() is None


def test_an_error_here_ends_the_others_and_keeps_its_own_message(
    processes: Processes, ended: threading.Event, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = WatchRanks()
    (other,) = processes.start(LASTING)
    watch.setup(processes.trainer, MODULE, "fit")
    watch.on_exception(processes.trainer, MODULE, ValueError("the first error"))
    assert other.wait(30) == -15
    assert not ended.wait(0.3)
    assert capsys.readouterr().err == ""


def test_an_error_here_that_a_killed_process_is_the_reason_of_is_told_as_that(
    processes: Processes, ended: threading.Event
) -> None:
    watch = WatchRanks()
    (other,) = processes.start(LASTING)
    watch.setup(processes.trainer, MODULE, "fit")
    other.kill()
    watch.on_exception(processes.trainer, MODULE, RuntimeError("Connection closed by peer"))
    assert ended.is_set()


def test_processes_of_another_kind_are_left_to_lightning(processes: Processes, ended: threading.Event) -> None:
    watch = WatchRanks()
    pickle.loads(pickle.dumps(watch))  # as a spawning strategy does
    launcher = processes.launcher
    (other,) = processes.start(LASTING)
    watch.setup(processes.trainer, MODULE, "test")
    assert launcher.procs == [other]
    launcher.procs = [SimpleNamespace(exitcode=1)]  # of multiprocessing
    watch.setup(processes.trainer, MODULE, "fit")
    assert len(launcher.procs) == 1
    processes.trainer.strategy.launcher = None
    watch.setup(processes.trainer, MODULE, "fit")
    watch.on_exception(processes.trainer, MODULE, ValueError())
    watch.teardown(processes.trainer, MODULE, "fit")
    assert other.poll() is None
    assert not ended.is_set()
