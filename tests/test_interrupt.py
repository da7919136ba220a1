"""Ctrl-C while train.py and predict.py are still importing."""

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


@pytest.mark.parametrize("script", ["train.py", "predict.py"])
@pytest.mark.parametrize(("rank", "words"), [("0", "stopped before anything was begun.\n"), ("1", "")])
def test_ctrl_c_during_the_imports_shows_no_traceback(script: str, rank: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "hydra.py").write_text(SLOW_LIBRARY)
    with subprocess.Popen(
        [sys.executable, REPO / script],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "LOCAL_RANK": rank},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, words)
