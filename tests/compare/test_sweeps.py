"""The processes of a sweep."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from colorize.compare import sweeps
from colorize.compare.sweeps import CompareRuns, record_failure
from colorize.errors import ColorizeError

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


@pytest.mark.parametrize(("begins", "status"), [(False, "done"), (True, "failed: it cannot go on: \\udcff")])
def test_a_start_that_is_refused_leaves_a_finished_run_as_it_is(
    begins: bool, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "0"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 1")
    (run / "metrics.json").write_text('{"test/mse": 1, "floor/mse": 2}')
    runtime, job = SimpleNamespace(output_dir=str(run)), SimpleNamespace(num=0)
    hydra = SimpleNamespace(mode=RunMode.MULTIRUN, runtime=runtime, job=job)
    monkeypatch.setattr(sweeps.HydraConfig, "get", lambda: hydra)
    monkeypatch.setattr(sweeps.HydraConfig, "initialized", lambda: True)

    def start(cfg: DictConfig) -> None:
        if begins:
            os.utime(run / "config.yaml", (0, 0))  # it is written anew
        raise ColorizeError("it cannot go on: \udcff")  # a name need not be UTF-8

    assert record_failure(start)(OmegaConf.create()) is None
    with pytest.raises(SystemExit, match="error: 1 of 1 runs failed: 0"):
        CompareRuns().on_multirun_end(OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path)}}}))
    assert status in (tmp_path / "comparison.csv").read_text()
    assert (run / "error.txt").exists() == begins
    assert not (run / "refused.txt").exists()
