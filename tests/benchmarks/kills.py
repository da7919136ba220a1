"""A training killed many times, with resume=true each time, beside the same one in one go.

    python -m tests.benchmarks.kills FOLDER [--kills 30] [--seed 0] [--writing 0.4] [KEY=VALUE ...]

Each start is a process of its own, forked from one that has imported the libraries, and gets SIGKILL at a random
moment: after a random time in start-up, after one from its first checkpoint on (between steps, in validation, in the
final test), or while a file of a checkpoint is being written. The last line is JSON: the moments, and what differs from
the run in one go.
"""

import argparse
import importlib
import json
import os
import random
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch

REPO = Path(__file__).resolve().parents[2]
LIBRARIES = ("data.scenes", "training.evaluate", "training.fit")
TRAINING = (
    "data=scenes",
    "data.image_size=32",
    "data.train_size=32",
    "data.val_size=24",
    "data.test_size=24",
    "data.batch_size=8",
    "data.augment.crop_padding=2",
    "model.network.width=4",
    "callbacks=ema",
    "callbacks.last.every_n_train_steps=1",
    "callbacks.curves=null",
    "callbacks.samples=null",
    "callbacks.architecture=null",
    "trainer.max_epochs=20",
    "trainer.log_every_n_steps=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)


class Run:
    """A start of train.py in a process of its own, which writes what it says to a file."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.log = folder.with_name("log.txt")
        self.pid = os.fork()
        os.setpgid(self.pid, self.pid)  # a group with the further ranks that it starts; both do, for one is first
        if self.pid == 0:
            with self.log.open("ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            sys.argv = [str(REPO / "train.py"), *words, f"hydra.run.dir={folder}"]
            runpy.run_path(str(REPO / "train.py"), run_name="__main__")
            os._exit(0)

    def ended(self) -> bool:
        if self.pid and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            self.wait()
        return not self.pid

    def wait(self) -> None:
        if not self.pid:
            return
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        if code not in (0, -signal.SIGKILL):
            raise SystemExit(f"train.py ended with {code}: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        if self.pid:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()


def kill_after(run: Run, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not run.ended():
        time.sleep(0.001)
    run.kill()


def wait_for_writing(run: Run, times: int) -> None:
    """Until the temporary file of the so manyth checkpoint is seen."""
    folder = run.folder / "checkpoints"
    before = {path.name for path in folder.glob(".*.tmp")}
    seen: set[str] = set()
    while len(seen) < times and not run.ended():
        seen.update({path.name for path in folder.glob(".*.tmp")} - before)
        time.sleep(0.0002)  # the ranks need the CPU too


def place(folder: Path) -> str:
    """What the last start left: the step of last.ckpt or previous.ckpt, and files that were not finished."""
    there = [folder / "checkpoints" / name for name in ("last.ckpt", "previous.ckpt")]
    steps = [
        f"{path.name} of step {torch.load(path, weights_only=True)['global_step']}" for path in there if path.is_file()
    ]
    unfinished = len(list(folder.rglob("*.tmp")))
    tested = ["tested"] if (folder / "metrics.json").is_file() else []
    return ", ".join([*(steps[:1] or ["no checkpoint"]), *tested, *([f"{unfinished} unfinished"] * bool(unfinished))])


def tensors(value: Any, key: str = "") -> dict[str, torch.Tensor]:
    """All tensors in a checkpoint by the path to them."""
    if isinstance(value, torch.Tensor):
        return {key: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    return {name: tensor for k, item in items for name, tensor in tensors(item, f"{key}/{k}").items()}


def differences(run: Path, whole: Path) -> list[str]:
    """What the runs in two folders left that is not the same, bit for bit."""
    found = []
    for name in ("last.ckpt", "best.ckpt"):
        ours, theirs = (
            tensors(torch.load(folder / "checkpoints" / name, weights_only=True)) for folder in (run, whole)
        )
        same = ours.keys() == theirs.keys()
        found += [] if same else [f"{name}: {sorted(ours.keys() ^ theirs.keys())}"]
        found += [f"{name}{key}" for key in ours.keys() & theirs.keys() if not torch.equal(ours[key], theirs[key])]
    if (run / "metrics.csv").read_bytes() != (whole / "metrics.csv").read_bytes():
        found.append("metrics.csv")
    ours, theirs = (json.loads((folder / "metrics.json").read_text()) for folder in (run, whole))
    return found + [key for key in theirs if key != "seconds" and ours.get(key) != theirs[key]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writing", type=float, default=0.4, help="share of kills while a checkpoint is written")
    arguments, words = parser.parse_known_args()
    for name in LIBRARIES:
        importlib.import_module(f"colorize.{name}")
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True)
    run, whole = folder / "run", folder / "whole"
    began = time.monotonic()
    start = Run(run, *TRAINING, *words)
    while not (run / "checkpoints/last.ckpt").is_file() and not start.ended():
        time.sleep(0.01)
    to_first = time.monotonic() - began
    start.wait()
    seconds = time.monotonic() - began
    run.rename(whole)
    rng, moments = random.Random(arguments.seed), []
    for number in range(arguments.kills):
        start = Run(run, *TRAINING, *words, "resume=true")
        kind = rng.random()
        if kind < arguments.writing:
            times = rng.randint(1, 6)
            wait_for_writing(start, times)
            start.kill()
            moment = f"writing checkpoint {times}"
        elif kind < arguments.writing + 0.8 * (1 - arguments.writing):
            delay = rng.uniform(0, 2 * (seconds - to_first) / arguments.kills)
            wait_for_writing(start, 1)
            kill_after(start, delay)
            moment = f"{delay:.2f} s after its first checkpoint"
        else:
            delay = rng.uniform(0, to_first)
            kill_after(start, delay)
            moment = f"{delay:.2f} s after its start"
        moments.append(f"{moment}: {place(run)}")
        print(f"kill {number + 1}: {moments[-1]}", flush=True)
    Run(run, *TRAINING, *words, "resume=true").wait()
    print(json.dumps({"seconds": seconds, "moments": moments, "differences": differences(run, whole)}))


if __name__ == "__main__":
    main()
