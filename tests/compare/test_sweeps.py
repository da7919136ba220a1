"""The processes of a sweep."""

import os
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
JOB = """
import os, sys, threading, time
from colorize.compare.sweeps import end_with
threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
print(os.getpid(), flush=True)
time.sleep(60)
"""
LAUNCHER = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {JOB!r}])
time.sleep(60)
"""


def test_a_job_ends_with_the_process_that_launched_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER], cwd=REPO, env={**os.environ, "PYTHONPATH": str(REPO)}, stdout=subprocess.PIPE
    ) as launcher:
        assert launcher.stdout is not None
        job = int(launcher.stdout.readline())
        time.sleep(1)
        os.kill(job, 0)  # it is there
        launcher.kill()
        killed = time.monotonic()
        assert launcher.stdout.read() == b""  # whose end the job holds too
        assert time.monotonic() - killed < 20
