"""The command line that goes on with a run, and the run that a command line goes on with."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from colorize.cli.config import CONFIG_DIR
from colorize.training.folder import newest_of_same_command
from colorize.training.resume.command import command_to_go_on


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None


def test_the_command_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "data.root=[A,B]", "hydra.run.dir=old", "ckpt_path=x", "seed=1"])
    assert command_to_go_on("/runs/a b") == (
        "python train.py 'data.root=[A,B]' seed=1 'hydra.run.dir='\"'\"'/runs/a b'\"'\"'' resume=true"
    )
    for folder in ("/runs/a=b", "/runs/a,b", "/runs/(a)", "/runs/[a]", "/runs/{a}", "/runs/ä", "/runs/~a", "/runs/a&b"):
        assert f"'hydra.run.dir='\"'\"'{folder}'\"'\"''" in command_to_go_on(folder)
    assert shlex.split(command_to_go_on("/runs/it's"))[-2] == r"hydra.run.dir='/runs/it\'s'"
    monkeypatch.setattr(sys, "argv", ["/nowhere/colorize-train", "seed=1"])
    assert command_to_go_on("run") == "/nowhere/colorize-train seed=1 hydra.run.dir=run resume=true"


def test_a_rank_that_lightning_started_says_the_command_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    added = ["hydra.run.dir=/runs/1", "hydra.job.name=train_ddp_process_1", "hydra.output_subdir=null", "resume=true"]
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=1", *added])
    assert command_to_go_on("/runs/1") == "python train.py seed=1 hydra.run.dir=/runs/1 resume=true"


@pytest.mark.parametrize(
    ("mode", "place"), [("MULTIRUN", "hydra.sweep.dir=/sweeps/1"), ("RUN", "hydra.run.dir=/runs/1")]
)
def test_a_sweep_goes_on_in_its_folder(mode: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = [f"hydra.mode={mode}", "hydra.sweep.dir=/sweeps/1"]
    HydraConfig.instance().set_config(compose("train", overrides, return_hydra_config=True))
    monkeypatch.setattr(sys, "argv", ["train.py", "-m", "seed=1,2"])
    assert command_to_go_on("/runs/1") == f"python train.py -m seed=1,2 {place} resume=true"


def test_a_study_goes_on_by_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = ["sweep=optuna", "hydra.sweep.dir=/sweeps/1"]
    HydraConfig.instance().set_config(compose("train", overrides, return_hydra_config=True))
    monkeypatch.setattr(sys, "argv", ["train.py", "sweep=optuna", "hydra.sweep.dir=/sweeps/1", "seed=1"])
    assert command_to_go_on("/sweeps/1/0") == "python train.py sweep=optuna seed=1"


@pytest.mark.parametrize(
    ("before", "folder"),
    [
        ("", ""),
        ("run-", "run-"),
        ("outputs/run-", "outputs/run-"),
        ("outputs/${now:%Y/%m}/", "outputs/2020/01/"),
        ("${oc.env:RUNS}/run-", "/RUNS/run-"),
    ],
)
def test_anything_may_stand_before_the_time(
    before: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNS", str(tmp_path))
    run = Path(folder.replace("/RUNS", str(tmp_path)) + "10-00")
    (run / ".hydra").mkdir(parents=True)
    (run / ".hydra/overrides.yaml").write_text("[seed=1]")
    words = ["resume=true", "seed=1", f"hydra.run.dir='{before}${{now:%H-%M}}'"]
    cfg = compose("train", words, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    assert newest_of_same_command(cfg) == run


def test_the_newest_folder_of_the_same_command_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = {
        "2020-01-01/10-00-00_lab_unet_scenes": "[seed=1, resume=true]",
        "2020-01-02/10-00-00_lab_unet_scenes": "[seed=1]",
        "2020-01-03/10-00-00_lab_unet_scenes": "[seed=2]",
    }
    for name, overrides in written.items():
        (tmp_path / "outputs" / name / ".hydra").mkdir(parents=True)
        (tmp_path / "outputs" / name / ".hydra/overrides.yaml").write_text(overrides)
    for seed, expected in ((1, "2020-01-02"), (2, "2020-01-03"), (3, None)):
        cfg = compose("train", ["resume=true", f"seed={seed}"], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        found = newest_of_same_command(cfg)
        assert (None if found is None else found.parent.name) == expected
