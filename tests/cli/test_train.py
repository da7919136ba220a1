"""train.py from its overrides to what it leaves on the disk."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from PIL import Image

pytestmark = pytest.mark.slow

METRICS = (
    "mse",
    "mae",
    "psnr",
    "psnr_per_image",
    "ssim",
    "mse_ratio",
    "delta_e",
    "psnr_ab",
    "ab_sliced_wasserstein",
    "out_of_gamut",
    "colorfulness",
    "colorfulness_ratio",
)  # of both model and floor
OUTPUTS = {
    *(["architecture.svg"] if shutil.which("dot") else []),
    "architecture.txt",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "config.yaml",
    "curves.png",
    "metrics.csv",
    "metrics.json",
    "samples.png",
    "test_samples.npz",
}


def outputs(folder: Path) -> set[str]:
    """Files below a run's folder, without Hydra's own records and logs."""
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {file for file in files if not file.startswith(".hydra/") and not file.endswith(".log")}


def read_metrics(folder: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return metrics


def load(checkpoint: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    return content


def test_a_run_leaves_its_outputs_and_no_other(trained: Any) -> None:
    assert outputs(trained.folder) == OUTPUTS


def test_the_pictures_of_a_run_show_something(trained: Any) -> None:
    with Image.open(trained.folder / "samples.png") as image:
        samples = np.asarray(image.convert("RGB"))
    height, width = samples.shape[:2]
    assert height > 2 * width  # eight rows of three
    assert len(np.unique(samples.reshape(-1, 3), axis=0)) > 1000
    with Image.open(trained.folder / "curves.png") as image:
        curves = np.asarray(image.convert("RGB"))
    assert len(np.unique(curves.reshape(-1, 3), axis=0)) > 20


def test_metrics_stand_beside_the_floor(trained: Any) -> None:
    metrics = read_metrics(trained.folder)
    expected = {f"{part}/{name}" for part in ("test", "floor") for name in METRICS}
    assert set(metrics) == expected | {"test/loss", "n_images", "parameters", "epochs", "seconds", "weights"}
    assert metrics["n_images"] == 8
    assert metrics["floor/mse_ratio"] == pytest.approx(1, abs=1e-6)
    assert metrics["floor/colorfulness"] == pytest.approx(0, abs=1e-3)
    assert metrics["test/mse_ratio"] == pytest.approx(metrics["test/mse"] / metrics["floor/mse"], rel=1e-4)
    assert metrics["test/psnr"] == pytest.approx(-10 * np.log10(metrics["test/mse"]), abs=1e-3)


def test_the_csv_holds_losses_of_training_and_validation(trained: Any) -> None:
    with (trained.folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in ("train/loss_epoch", "val/loss", "val/psnr", "test/psnr"):
        values = [float(row[name]) for row in rows if row[name]]
        assert len(values) == 1, name
        assert np.isfinite(values).all()


def test_the_summary_is_the_last_thing_said(trained: Any) -> None:
    title, *table, run, use = trained.out.splitlines()[-len(METRICS) - 3 :]
    assert title.split() == ["test,", "8", "pictures", "model", "floor"]
    metrics = read_metrics(trained.folder)
    for line in table:
        name, model, floor = line.split()
        assert float(model) == pytest.approx(metrics[f"test/{name}"], rel=1e-3)
        assert float(floor) == pytest.approx(metrics[f"floor/{name}"], rel=1e-3)
    assert sorted(line.split()[0] for line in table) == sorted(METRICS)
    assert run == f"run: {trained.folder}"
    assert use == f"use: python predict.py checkpoint={trained.best} input=PHOTO_OR_FOLDER output=FOLDER"


def test_checkpoints_are_weights_and_plain_values(trained: Any) -> None:
    for path in (trained.best, trained.last):
        checkpoint = load(path)
        assert checkpoint["task"] == "LabTask"
        assert checkpoint["config"]["data"]["image_size"] == 32
        assert all(isinstance(value, torch.Tensor) for value in checkpoint["state_dict"].values())


@pytest.fixture(scope="module")
def evaluated(trained: Any, commands: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(folder, process) of an evaluation alone, told to W&B, offline."""
    folder = tmp_path_factory.mktemp("evaluated") / "run"
    words = ("fit=false", f"ckpt_path={trained.best}", "logger=wandb", f"hydra.run.dir={folder}")
    return folder, commands.succeed("train.py", *commands.tiny, *words, WANDB_MODE="offline")


@pytest.fixture(scope="module")
def resumed(trained: Any, commands: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that goes on for one more epoch from ~/run, told to TensorBoard."""
    folder = tmp_path_factory.mktemp("resumed") / "run"
    words = ("ckpt_path=~/run/checkpoints/last.ckpt", "trainer.max_epochs=2", "logger=tensorboard")
    commands.succeed("train.py", *commands.tiny, *words, f"hydra.run.dir={folder}", HOME=str(trained.folder.parent))
    return folder


def test_evaluation_alone_gives_the_same_numbers(evaluated: Any, trained: Any) -> None:
    folder, finished = evaluated
    assert outputs(folder) >= {"metrics.json", "config.yaml", "samples.png"}
    assert not (folder / "checkpoints").exists()
    of_training = read_metrics(trained.folder)
    assert (of_training.pop("epochs"), of_training.pop("seconds") > 0) == (1, True)
    assert read_metrics(folder) == pytest.approx(of_training, abs=1e-5)
    assert f"run: {folder}" in finished.out


def test_wandb_offline_keeps_the_run_on_the_disk(evaluated: Any) -> None:
    folder, finished = evaluated
    (record,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    assert record.stat().st_size > 1000
    assert list(record.parent.glob("files/media/images/samples*.png"))
    assert "Traceback" not in finished.err


def test_a_resumed_run_goes_on_where_the_first_ended(resumed: Path, trained: Any) -> None:
    first, second = load(trained.last), load(resumed / "checkpoints/last.ckpt")
    assert (first["epoch"], second["epoch"]) == (1, 2)  # done
    assert (first["global_step"], second["global_step"]) == (4, 8)
    with (resumed / "metrics.csv").open(newline="") as file:
        epochs = [row["epoch"] for row in csv.DictReader(file) if row["val/loss"]]
    assert epochs == ["1"]
    assert outputs(resumed) >= OUTPUTS


def test_tensorboard_gets_numbers_and_pictures(resumed: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    accumulator = EventAccumulator(str(resumed / "tensorboard"))
    accumulator.Reload()
    assert {"train/loss_epoch", "val/loss", "test/psnr"} <= set(accumulator.Tags()["scalars"])
    assert "samples" in accumulator.Tags()["images"]


def test_a_multirun_leaves_a_run_for_each_model(commands: Any, tmp_path: Path) -> None:
    finished = commands.succeed(
        "train.py", "-m", "model=gray_cae,rgb_cae", *commands.tiny, f"hydra.sweep.dir={tmp_path}"
    )
    tasks = []
    for number in ("0", "1"):
        assert outputs(tmp_path / number) == OUTPUTS
        tasks.append(load(tmp_path / number / "checkpoints/best.ckpt")["task"])
        assert read_metrics(tmp_path / number)["n_images"] == 8
    assert tasks == ["GrayscaleTask", "RGBTask"]
    assert finished.out.count("test, 8 pictures") == 2


def test_two_processes_make_one_run(commands: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    two = ("trainer.devices=2", "trainer.strategy=ddp", "data.test_size=7")  # 7 pictures cannot be shared evenly
    finished = commands.succeed("train.py", *commands.tiny, *two, f"hydra.run.dir={folder}")
    assert outputs(folder) == OUTPUTS
    assert read_metrics(folder)["n_images"] == 7
    assert finished.out.count("test, 7 pictures") == 1
    assert finished.out.count("use: python predict.py") == 1
    assert load(folder / "checkpoints/last.ckpt")["global_step"] == 2  # 32 pictures, 2 x 8 at a time
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len([row for row in rows if row["test/psnr"]]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_spawned_processes_make_a_trial(commands: Any, tmp_path: Path) -> None:
    """With a share of 6 pictures for each of them, less than a batch of 8; Optuna learns of the best score."""
    spawned = ("trainer.strategy=ddp_spawn", "trainer.devices=2", "callbacks=ema", "data.train_size=12")
    storage = f"sqlite:///{tmp_path}/study.db"
    search = ("sweep=optuna", "hydra.sweeper.n_trials=1", f"hydra.sweeper.storage.url={storage}")
    words = ("-m", *commands.tiny, *spawned, *search, f"hydra.sweep.dir={tmp_path}/sweep")
    finished = commands("train.py", *words, timeout=600)  # it imports everything three times
    assert finished.code == 0, finished.err
    folder = tmp_path / "sweep/0"
    metrics = read_metrics(folder)
    assert (metrics["n_images"], metrics["epochs"]) == (8, 1)
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))  # of the spawned training and of the test in the process that spawned it
    for name in ("train/loss_epoch", "val/loss", "test/psnr"):
        assert len([row for row in rows if row[name]]) == 1, name
    best = load(folder / "checkpoints/best.ckpt")
    assert best["global_step"] == 1
    assert "averaging_state" in best  # by callbacks=ema
    (state,) = (
        state
        for name, state in best["callbacks"].items()
        if "'monitor': 'val/loss'" in name and "best_model_score" in state
    )
    (summary,) = optuna.get_all_study_summaries(storage)
    (trial,) = optuna.load_study(study_name=summary.study_name, storage=storage).trials
    assert trial.value == pytest.approx(state["best_model_score"].item())


def test_a_training_that_ends_within_its_first_epoch_is_tested(commands: Any, tmp_path: Path) -> None:
    commands.succeed("train.py", *commands.tiny, "trainer.max_steps=1", f"hydra.run.dir={tmp_path}/run")
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()
    assert read_metrics(tmp_path / "run")["test/mse"] > 0
