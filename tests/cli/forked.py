"""Runs commands, each in a process of its own, forked from one that has imported the libraries once.

Input: a line of JSON for each request. Output: a line of JSON for each answer.
["start", arguments, environment, seconds] gets the id of the process, which is killed after those seconds;
["poll", id] its exit code, or null before it has one; ["end", id] [exit code, stdout, stderr], as soon as there is one.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

REPO = Path(__file__).resolve().parents[2]
LIBRARIES = ("data.cifar10", "data.folder", "data.scenes", "inference.colorizer", "training.evaluate", "training.fit")
_written: dict[int, tuple[IO[bytes], IO[bytes]]] = {}
_ended: dict[int, int] = {}


def start(words: list[str], environment: dict[str, str], seconds: int) -> int:
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 # `end` closes them
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.alarm(seconds)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
        with Path(os.devnull).open() as nothing:
            for number, file in enumerate((nothing, out, err)):
                os.dup2(file.fileno(), number)
        os.environ.clear()
        os.environ.update(environment)
        os._exit(run(words))
    _written[pid] = out, err
    return pid


def run(words: list[str]) -> int:
    """What `python WORDS` does, in this process; its exit code.

    All that Python does at its end is done, but the libraries are not taken apart object by object, which takes longer
    than most commands.
    """
    code: object = None
    try:
        sys.argv = words[1:] if words[0] == "-m" else words
        if words[0] == "-m":
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


def poll(pid: int, options: int = os.WNOHANG) -> int | None:
    if pid not in _ended:
        found, status = os.waitpid(pid, options)
        if found:
            _ended[pid] = os.waitstatus_to_exitcode(status)
    return _ended.get(pid)


def end(pid: int) -> tuple[int | None, str, str]:
    code = poll(pid, 0)
    if code == -signal.SIGALRM:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    texts = []
    for file in _written.pop(pid):
        with file:
            texts.append(os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode())
    return code, texts[0], texts[1]


def main() -> None:
    sys.path[0] = str(REPO)  # this checkout's package, whatever is installed
    for name in LIBRARIES:
        importlib.import_module(f"colorize.{name}")
    gc.freeze()  # what is never collected is not copied into the processes that are forked
    requests: dict[str, Any] = {"start": start, "poll": poll, "end": end}
    for line in iter(sys.stdin.readline, ""):
        name, *arguments = json.loads(line)
        print(json.dumps(requests[name](*arguments)), flush=True)
    for pid in _written:  # a test that failed did not wait for it
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
