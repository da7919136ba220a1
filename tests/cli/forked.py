"""Runs commands, each in a process of its own, forked from one that has imported the libraries once.

Input: a line for each, JSON of its arguments, its environment and the seconds after which it is killed with its
children. Output: a line for each, JSON of [exit code, stdout, stderr].
"""

import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
LIBRARIES = ("data.cifar10", "data.folder", "data.scenes", "inference.colorizer", "training.evaluate", "training.fit")


def fork(words: list[str], environment: dict[str, str], seconds: int) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open() as nothing:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.alarm(seconds)
            for number, file in enumerate((nothing, out, err)):
                os.dup2(file.fileno(), number)
            os.environ.clear()
            os.environ.update(environment)
            run(words)
            sys.exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code == -signal.SIGALRM:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        texts = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() for file in (out, err)]
    return code, texts[0], texts[1]


def run(words: list[str]) -> None:
    """What `python WORDS` does, in this process."""
    sys.argv = words[1:] if words[0] == "-m" else words
    if words[0] == "-m":
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    sys.path[0] = str(REPO)  # this checkout's package, whatever is installed
    for name in LIBRARIES:
        importlib.import_module(f"colorize.{name}")
    for line in iter(sys.stdin.readline, ""):
        print(json.dumps(fork(*json.loads(line))), flush=True)
