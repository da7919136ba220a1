"""Runs many commands, each in a process of its own, forked from one that has imported the libraries once.

Input: a JSON object of name to arguments. Output: of name to [exit code, stdout, stderr]. Killed after 120 s each.
"""

import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
LIBRARIES = ("data.cifar10", "data.folder", "data.scenes", "inference.colorizer", "training.evaluate")


def fork(words: list[str]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            signal.alarm(120)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
            sys.exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() for file in (out, err)]
    return code, texts[0], texts[1]


if __name__ == "__main__":
    cases = json.loads(sys.argv[1])
    sys.path[0] = str(REPO)  # this checkout's package, whatever is installed
    for name in LIBRARIES:
        importlib.import_module(f"colorize.{name}")
    finished = {}
    for name, words in cases.items():
        finished[name] = fork(words)
    print(json.dumps(finished))
