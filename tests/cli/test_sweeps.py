"""Multiruns as their users start them: comparisons, failures, launchers, Optuna, the autoencoders' sweep."""

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from PIL import Image

from tests.cli.fault import FIRST_OF_TWO

pytestmark = pytest.mark.slow
REPO = Path(__file__).resolve().parents[2]


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "comparison.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_failed_run_is_told_and_the_others_go_on(commands: Any, tmp_path: Path) -> None:
    norms = "model.network.norm=layer,batch,group"
    finished = commands("train.py", "-m", *commands.tiny, norms, f"hydra.sweep.dir={tmp_path}")
    assert finished.code == 1
    assert "error: job 0 failed: model.network: UNet cannot be built: norm is 'layer'" in finished.err
    assert "error: 1 of 3 runs failed: 0" in finished.err
    assert "Traceback" not in finished.err
    floor, failed, *done = rows(tmp_path)
    assert floor["mse_ratio"] == "1.0"
    assert failed["status"].startswith("failed: model.network: UNet cannot be built")
    assert [(row["model.network.norm"], row["status"], row["epochs"]) for row in done] == [
        ("batch", "done", "1"),
        ("group", "done", "1"),
    ]
    assert Image.open(tmp_path / "comparison.png").width > 500
    again = commands("-m", "colorize.compare", tmp_path, "--output", tmp_path / "again")
    assert again.code == 0
    assert (tmp_path / "again/comparison.csv").read_bytes() == (tmp_path / "comparison.csv").read_bytes()


def test_a_fault_in_one_run_keeps_its_traceback(commands: Any, tmp_path: Path) -> None:
    finished = commands("train.py", "-m", *commands.tiny, *FIRST_OF_TWO, f"hydra.sweep.dir={tmp_path}")
    assert finished.code == 1
    assert "Traceback" in finished.err
    assert [row["status"].split(":")[0] for row in rows(tmp_path)[1:]] == ["failed", "done"]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_launchers_run_every_job_and_compare_them(launcher: str, commands: Any, tmp_path: Path) -> None:
    """Also when their batches are fetched by processes of their own."""
    arguments = (
        *commands.tiny,
        f"launcher={launcher}",
        "seed=1,2",
        "data.num_workers=1",
        f"hydra.sweep.dir={tmp_path}",
    )
    finished = commands.succeed("train.py", *arguments)
    assert [(row["seed"], row["status"]) for row in rows(tmp_path)[1:]] == [("1", "done"), ("2", "done")]
    assert "Warning" not in finished.err
    assert "is deprecated" not in finished.err


def test_slurm_starts_the_ranks_of_each_job(commands: Any, tmp_path: Path) -> None:
    """The launcher, Lightning and DDP are the real ones; the cluster is slurm.py."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sbatch", "srun", "sacct"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {REPO}/tests/cli/slurm.py {name} "$@"\n')
        (programs / name).chmod(0o755)
    sweep = tmp_path / "sweep"
    arguments = ("launcher=submitit", "trainer.devices=2", "hydra.launcher.partition=gpu", f"hydra.sweep.dir={sweep}")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    commands.succeed("train.py", *commands.tiny, *arguments, PATH=path, SLURM_FLAGS=str(tmp_path / "flags.json"))
    flags = json.loads((tmp_path / "flags.json").read_text())
    asked = ("partition", "nodes", "ntasks-per-node", "gpus-per-node")
    assert [flags[name] for name in asked] == ["gpu", "1", "2", "2"]
    assert [row["status"] for row in rows(sweep)[1:]] == ["done"]
    assert torch.load(sweep / "0/checkpoints/last.ckpt", weights_only=True)["global_step"] == 2  # 32 pictures, 2 x 8


def test_an_optuna_study_goes_on_where_it_was(commands: Any, tmp_path: Path) -> None:
    """Its second start comes to the first trials that TPE itself draws."""
    storage = f"sqlite:///{tmp_path}/study.db"
    search = ("sweep=optuna", f"hydra.sweeper.storage.url={storage}", "hydra.sweeper.sampler.n_startup_trials=2")
    for number, trials in enumerate((2, 1)):
        sweep = tmp_path / str(number)
        arguments = (f"hydra.sweeper.n_trials={trials}", f"hydra.sweep.dir={sweep}")
        finished = commands.succeed("train.py", *commands.tiny, *search, *arguments)
        assert f"Optuna: {trials} trials, none of them pruned; the study is kept in {storage}\n" in finished.out
        assert len(rows(sweep)) == 1 + trials
    (summary,) = optuna.get_all_study_summaries(storage)
    assert summary.study_name == ",".join(sorted(commands.tiny))
    study = optuna.load_study(study_name=summary.study_name, storage=storage)
    assert len(study.trials) == 3
    losses = [torch.load(path, weights_only=True) for path in sorted(tmp_path.glob("*/*/checkpoints/best.ckpt"))]
    best = [next(iter(v for k, v in c["callbacks"].items() if "ModelCheckpoint" in k)) for c in losses]
    assert [trial.value for trial in study.trials] == pytest.approx([b["best_model_score"].item() for b in best])
    assert 1e-4 <= study.trials[0].params["model.optimizer.lr"] <= 1e-2


def test_trials_that_diverge_fail_and_are_told(commands: Any, tmp_path: Path) -> None:
    diverging = "hydra.sweeper.params={model.optimizer.lr: 'choice(1e30)'}"
    arguments = (
        diverging,
        "trainer.gradient_clip_val=null",
        f"hydra.sweeper.storage.url=sqlite:///{tmp_path}/study.db",
    )
    trials = ("hydra.sweeper.n_trials=2", f"hydra.sweep.dir={tmp_path}")
    finished = commands("train.py", *commands.tiny, "sweep=optuna", *arguments, *trials)
    assert finished.code == 1
    for number in (0, 1):
        assert f"error: job {number} failed: The training diverged: val/loss was never finite" in finished.err
        assert (tmp_path / str(number) / "error.txt").is_file()
    assert finished.err.splitlines()[-1].startswith("error: No trial of this study has a result yet")
    assert "Traceback" not in finished.err


def test_colorizers_start_from_the_autoencoders_of_their_sweep(commands: Any, tmp_path: Path) -> None:
    tiny = [option for option in commands.tiny if "width" not in option]
    finished = commands.succeed("train.py", *tiny, "sweep=autoencoders", f"hydra.sweep.dir={tmp_path}")
    assert [row["experiment"] for row in rows(tmp_path)[1:]] == [
        f"{kind}_{number}" for kind in ("autoencoder", "colorizer") for number in (1, 2, 3)
    ]
    said = finished.out + finished.err
    for number in (1, 2, 3):
        assert f"model.init_from={tmp_path}/autoencoder_{number}_scenes_seed0/checkpoints/best.ckpt: " in said


@pytest.mark.parametrize(
    ("choice", "extra"),
    [("launcher=joblib", "joblib"), ("launcher=submitit", "submitit"), ("sweep=optuna", "optuna")],
)
def test_a_missing_plugin_is_named_with_its_install_command(
    choice: str, extra: str, commands: Any, tmp_path: Path
) -> None:
    """As on a machine without the plugins: Hydra finds them by listing the package hydra_plugins."""
    (tmp_path / "sitecustomize.py").write_text(
        "import pkgutil\n"
        "walk = pkgutil.walk_packages\n"
        "def without_plugins(path=None, prefix='', onerror=None):\n"
        "    return (m for m in walk(path, prefix, onerror) if 'hydra_plugins' not in m.name)\n"
        "pkgutil.walk_packages = without_plugins\n"
    )
    finished = commands.fresh("train.py", choice, PYTHONPATH=str(tmp_path))
    assert finished.code == 1
    assert finished.err.startswith("error: hydra/")
    assert f"pip install 'colorize[{extra}]'" in finished.err
    assert finished.err.count("\n") == 1
