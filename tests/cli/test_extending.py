"""The README followed word for word: files outside of the package train, evaluate and predict."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from colorize.images import read_photograph, write_photograph
from colorize.scenery import render_scenes

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def section() -> str:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    return text.split("## Add your own\n")[1].split("\n## ")[0]


def test_the_readmes_own_files_train_evaluate_and_predict(tmp_path: Path) -> None:
    for name in ("train.py", "predict.py", "conf", "colorize"):
        (tmp_path / name).symlink_to(REPO / name)
    files = re.findall(r"`([\w./]+)`:\n\n```\w+\n(.*?)```", section(), flags=re.S)
    assert [name for name, _ in files] == ["mine.py", "my_conf/model/difference.yaml", "my_conf/data/stripes.yaml"]
    for name, content in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (commands,) = re.findall(r"\n\n```\n(.*?)```", section(), flags=re.S)
    write_photograph(tmp_path / "photo.jpg", render_scenes([1], 48)[0][:40])
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  worst +[\d.]+ +[\d.]+$", done.stdout, flags=re.M)
    assert read_photograph(tmp_path / "my_photo.jpg").pixels.shape == (40, 48, 3)
    assert done.stdout.count("use: python predict.py 'plugins=[mine]' checkpoint=") == 2
    evaluations = list((tmp_path / "outputs").rglob("config.yaml"))
    evaluated = [path for path in evaluations if path.parent.name != ".hydra"]
    assert len(evaluated) == 1
    assert "evaluate_my_run_on_stripes" in evaluated[0].parent.name
    assert "mine.DifferenceTask" in evaluated[0].read_text()

    unknown = [
        sys.executable,
        "predict.py",
        "checkpoint=my_run/checkpoints/best.ckpt",
        "input=photo.jpg",
        "overwrite=true",
    ]
    refused = subprocess.run(unknown, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 1
    assert "'DifferenceTarget' is unknown" in refused.stderr
    assert "plugins=[MODULE]" in refused.stderr
