"""What is read of a run's folder."""

from pathlib import Path

from omegaconf import OmegaConf

from colorize.compare.labels import varied
from colorize.compare.runs import find_runs, read_run
from tests.compare.conftest import MakeRun


def test_what_lies_in_the_runs_own_folder_is_no_setting_but_what_lies_beside_it_is(tmp_path: Path) -> None:
    config = {"run_dir": "/runs/1", "samples": "/runs/1/samples.png", "ckpt_path": "/runs/10/checkpoints/best.ckpt"}
    OmegaConf.save(config, tmp_path / "config.yaml")
    assert read_run(tmp_path).config == {"ckpt_path": "/runs/10/checkpoints/best.ckpt"}


def test_an_evaluation_has_no_part_of_a_model_but_its_checkpoints(make_run: MakeRun, tmp_path: Path) -> None:
    for number, network in enumerate(("unet", "encoder_unet")):
        folder = make_run(number, fit="false")
        OmegaConf.save(["fit=false", f"model/network={network}"], folder / ".hydra/overrides.yaml")
    assert varied(find_runs([tmp_path])) == []
