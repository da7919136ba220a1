"""The command line as its users run it: real processes, tiny pictures."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

REPO = Path(__file__).resolve().parents[2]
TINY = (
    "data=scenes",
    "data.image_size=32",
    "data.train_size=32",
    "data.val_size=8",
    "data.test_size=8",
    "data.batch_size=8",
    "model.network.width=4",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)


class Finished(NamedTuple):
    """A process that has ended."""

    code: int
    out: str
    err: str


class Started:
    """A process that was forked from one that has imported the libraries."""

    def __init__(self, ask: Callable[..., Any], words: list[str], environment: dict[str, str], timeout: int) -> None:
        self._ask = ask
        self._code: int | None = None
        self.pid: int = ask("start", words, environment, timeout)

    def poll(self) -> int | None:
        self._code = self._ask("poll", self.pid) if self._code is None else self._code
        return self._code

    def send_signal(self, number: int) -> None:
        if self._code is None:
            os.kill(self.pid, number)

    def end(self) -> Finished:
        """Wait for its end."""
        return Finished(*self._ask("end", self.pid))

    def end_all(self) -> Finished:
        """Wait for its end and that of every process it has started."""
        deadline = time.monotonic() + 300
        while self.poll() is None or any(not state.startswith("Z") for state in self._states()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return self.end()

    def _states(self) -> list[str]:
        table = subprocess.run(["ps", "-s", str(self.pid), "-o", "stat="], capture_output=True, text=True, check=False)
        return table.stdout.split()


class Commands:
    """Runs train.py and predict.py in the repository's folder."""

    tiny = TINY

    def __init__(self, forks: "subprocess.Popen[str]") -> None:
        self._forks = forks

    def __call__(self, *arguments: str | Path, timeout: int = 180, **environment: str) -> Finished:
        """What `python ARGUMENTS` comes to, in a process forked from one that has imported the libraries."""
        return self.start(*arguments, timeout=timeout, **environment).end()

    def start(self, *arguments: str | Path, timeout: int = 300, **environment: str) -> Started:
        """The same, not waited for; it is killed after so many seconds."""
        return Started(self._ask, [str(argument) for argument in arguments], _environment(environment), timeout)

    def together(self, group: list[tuple[dict[str, str], list[str]]]) -> list[Finished]:
        """What commands, each with its environment, come to that run at the same time."""
        started = [self.start(*words, timeout=400, **environment) for environment, words in group]
        return [process.end() for process in started]

    def _ask(self, *request: Any) -> Any:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        print(json.dumps(request), file=self._forks.stdin, flush=True)
        return json.loads(self._forks.stdout.readline())

    def fresh(self, *arguments: str | Path, timeout: float = 180, **environment: str) -> Finished:
        """The same in a process that imports all itself; one that does not end in time is killed with its children."""
        with subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=REPO,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return Finished(process.returncode, out, err)

    def succeed(self, *arguments: str | Path, **environment: str) -> Finished:
        finished = self(*arguments, timeout=180, **environment)
        assert finished.code == 0, finished.err
        return finished


def _environment(changes: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1", **changes}


@dataclass(frozen=True)
class Run:
    """A training that has ended, and the folder it left."""

    folder: Path
    out: str

    @property
    def best(self) -> Path:
        return self.folder / "checkpoints/best.ckpt"

    @property
    def last(self) -> Path:
        return self.folder / "checkpoints/last.ckpt"

    def predict_command(self, source: Path, output: Path) -> list[str]:
        """The arguments of the command in the last line of the summary, filled in."""
        line = self.out.splitlines()[-1]
        found = re.fullmatch(r"use: python (predict\.py .*)", line)
        assert found is not None, line
        assert "PHOTO_OR_FOLDER" in line
        words = found[1].replace("PHOTO_OR_FOLDER", str(source)).replace("output=FOLDER", f"output={output}")
        return shlex.split(words)


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cli.forked"],
        cwd=REPO,
        env=_environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forks:
        yield Commands(forks)
        assert forks.stdin is not None
        forks.stdin.close()


@pytest.fixture(scope="session")
def trained(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One tiny training of the default model."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    finished = commands.succeed("train.py", *TINY, f"hydra.run.dir={folder}")
    return Run(folder, finished.out)
