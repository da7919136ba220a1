"""Runs commands in groups, those of a group at the same time, as the machines of a cluster would.

Each process is forked from one that has imported the libraries once. Input: a JSON list of groups, each a list of
[environment, arguments]. Output: for each group a list of [exit code, stdout, stderr]. Killed after 400 s each.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import IO, Any

from tests.cli.forked import LIBRARIES, REPO


def start(environment: dict[str, str], words: list[str], streams: list[IO[bytes]]) -> int:
    """Fork a process that runs one command; its id."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(400)
        for number, stream in enumerate(streams, 1):
            os.dup2(stream.fileno(), number)
        os.environ.update(environment)
        sys.argv = words
        code: Any = 0
        try:
            runpy.run_path(words[0], run_name="__main__")
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else int(code is not None))  # as multiprocessing ends what it forks
    return pid


def run(group: list[tuple[dict[str, str], list[str]]]) -> list[tuple[int, str, str]]:
    """Start all, and wait for all."""
    with ExitStack() as stack:
        streams = [[stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)] for _ in group]
        started = [start(*member, pair) for member, pair in zip(group, streams, strict=True)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
        texts = [[os.pread(file.fileno(), 1 << 20, 0).decode() for file in pair] for pair in streams]
    return [(code, out, err) for code, (out, err) in zip(codes, texts, strict=True)]


def run_groups(groups: list[list[list[Any]]]) -> list[list[tuple[int, str, str]]]:
    """One group after the other, in a process that imports the libraries once."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-m", "tests.cli.together", json.dumps(groups)]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    return [[tuple(member) for member in group] for group in json.loads(done.stdout)]


def port() -> str:
    """A port of the loopback that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def as_torchrun() -> list[dict[str, str]]:
    """The environments of two processes that torchrun starts on one machine."""
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port(), "TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2"}
    same = {**meet, "GROUP_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    return [{**same, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]


def as_nodes() -> list[dict[str, str]]:
    """What a user sets on each of two machines."""
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port()}
    return [{**meet, "NODE_RANK": str(rank)} for rank in range(2)]


if __name__ == "__main__":
    sys.path[0] = str(REPO)  # this checkout's package, whatever is installed
    for name in LIBRARIES:
        importlib.import_module(f"colorize.{name}")
    importlib.import_module("lightning_fabric")
    print(json.dumps([run(group) for group in json.loads(sys.argv[1])]))
