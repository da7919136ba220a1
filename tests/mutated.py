"""Mutated files: bytes are changed, what reads them must live, and a process of its own does it."""

import collections
import faulthandler
import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def mutate(data: bytes, choose: random.Random) -> bytes:
    """Flipped bits, a cut, bytes set in the header, a block copied, dropped or filled."""
    changed = bytearray(data)
    kind = choose.choice(["bits", "bits", "header", "header", "header", "cut", "block", "tail"])
    if kind == "bits":
        for _ in range(choose.choice([1, 2, 8, 40])):
            changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    elif kind == "header":
        for _ in range(choose.choice([1, 1, 2, 4])):
            at = choose.randrange(min(len(changed), 400))
            changed[at] = choose.choice([0, 1, 2, 4, 0x7F, 0x80, 0xFE, 0xFF, choose.randrange(256)])
    elif kind == "cut":
        del changed[choose.randrange(len(changed)) :]
    else:
        low = 0 if kind == "block" else len(changed) // 2
        start = choose.randrange(low, len(changed))
        end = min(len(changed), start + choose.choice([1, 4, 16, 200]))
        fill = choose.choice([b"", bytes(end - start), b"\xff" * (end - start), bytes(changed[:64])])
        changed[start:end] = fill
    return bytes(changed)


def limit_process(memory: int) -> None:
    """This process: bytes of memory that it may take, and files that nobody keeps are not brought to the disk."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.fsync = lambda _: None


def read_mutated(
    good: Sequence[tuple[str, bytes]], read: Callable[[Path], str], count: int, seed: int, folder: Path, seconds: float
) -> collections.Counter[str]:
    """How often `read` said what of mutated files; one that takes more than `seconds` ends the process.

    Args:
        good: suffix and bytes of each file that is mutated.
    """
    choose, seen = random.Random(seed), collections.Counter[str]()
    for number in range(count):
        suffix, data = good[number % len(good)]
        path = folder / f"mutated{suffix}"
        path.write_bytes(mutate(data, choose))
        faulthandler.dump_traceback_later(seconds, exit=True)
        seen[read(path)] += 1
        faulthandler.cancel_dump_traceback_later()
    return seen


def run_fuzz(module: str, count: int, folder: Path, timeout: float) -> dict[str, int]:
    """What a module that is called with COUNT SEED FOLDER prints as JSON in its last line."""
    command = [sys.executable, "-m", module, str(count), "0", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=timeout)
    assert done.returncode == 0, done.stderr[-3000:]
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    print(counts)
    return counts
