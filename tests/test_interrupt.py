"""Ctrl-C while commands are still importing, and while they work."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SLOW_LIBRARY = """
import sys
print("importing", flush=True)
try:
    sys.stdin.read()
except KeyboardInterrupt:
    raise ImportError("half imported")
"""


LIBRARY_THAT_SWALLOWS = """
import sys
from colorize.interrupt import stoppable
with stoppable():
    print("working", flush=True)
    try:
        sys.stdin.read()
    except KeyboardInterrupt:
        sys.exit("error: another")
"""


def interrupted(*words: str | Path, **environment: str) -> tuple[int, str]:
    """Exit code and errors of a Python process that gets a Ctrl-C when it has printed a line."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=REPO,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() in ("importing\n", "working\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.mark.parametrize(
    "script",
    [["train.py"], ["predict.py"], *(["-m", f"colorize.{name}", "x"] for name in ("compare", "data.shards", "export"))],
)
@pytest.mark.parametrize(("rank", "words"), [("0", "stopped before anything was begun.\n"), ("1", "")])
def test_ctrl_c_during_the_imports_shows_no_traceback(script: list[str], rank: str, words: str, tmp_path: Path) -> None:
    for library in ("hydra", "omegaconf", "numpy"):
        (tmp_path / f"{library}.py").write_text(SLOW_LIBRARY)
    assert interrupted(*script, PYTHONPATH=str(tmp_path), LOCAL_RANK=rank) == (130, words)


def test_ctrl_c_of_which_a_library_makes_another_error_is_a_ctrl_c() -> None:
    assert interrupted("-c", LIBRARY_THAT_SWALLOWS, PYTHONPATH=str(REPO)) == (130, "stopped.\n")


TRAINING = """
import os, signal, sys
from types import SimpleNamespace
from colorize.cli.launch import launch
from colorize.training.resume.stop import StopRequest

def fit():
    stop = StopRequest()
    stop.listen(SimpleNamespace(_accelerator_connector=SimpleNamespace(cluster_environment=None)))
    print("working", flush=True)
    while stop.received is None:
        signal.pause()
    os.kill(os.getpid(), signal.SIGINT)

def main():
    try:
        fit()
    except KeyboardInterrupt:
        sys.exit(1)  # as Lightning does

launch(main, "train")
"""


def test_a_second_ctrl_c_in_a_training_is_a_ctrl_c() -> None:
    assert interrupted("-c", TRAINING, PYTHONPATH=str(REPO)) == (130, "stopped.\n")
