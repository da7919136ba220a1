"""logger=wandb without a login: what W&B's own record of each run, the file that `wandb sync` uploads, holds."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.cli.fault import FIRST_OF_TWO
from tests.cli.wandb_file import Written, written

pytestmark = pytest.mark.slow

NO_WANDB = """
import runpy, sys
sys.modules["wandb"] = None  # every import of it is an ImportError
runpy.run_path("train.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def finished(commands: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """(folder, what each command came to): a training, its resume, a sweep and an evaluation."""
    folder = tmp_path_factory.mktemp("wandb")
    (folder / "no_wandb.py").write_text(NO_WANDB)
    train = ["train.py", *commands.tiny]
    on_wandb = [
        *train,
        "logger=wandb",
        "trainer.precision=32-true",
        "callbacks.architecture=null",
        "callbacks.curves=null",
    ]
    cases = {
        "first": [*on_wandb, "logger.wandb.tags=[quick]", f"hydra.run.dir={folder}/first"],
        "second": [
            *on_wandb,
            f"ckpt_path={folder}/first/checkpoints/last.ckpt",
            "trainer.max_epochs=2",
            f"hydra.run.dir={folder}/second",
        ],
        "sweep": ["train.py", "-m", *on_wandb[1:], *FIRST_OF_TWO, f"hydra.sweep.dir={folder}/my_sweep"],
        "evaluation": [
            *on_wandb,
            "fit=false",
            f"ckpt_path={folder}/first/checkpoints/best.ckpt",
            f"hydra.run.dir={folder}/evaluation",
        ],
        "without": [
            str(folder / "no_wandb.py"),
            *commands.tiny,
            "trainer.fast_dev_run=true",
            f"hydra.run.dir={folder}/without",
        ],
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            patch.delenv(name)
        isolated = {f"WANDB_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "CACHE")}
        isolated["NETRC"] = str(folder / "netrc")
        return folder, {name: commands(*words, **isolated) for name, words in cases.items()}


@pytest.fixture(scope="module")
def first(finished: Any) -> Written:
    folder, results = finished
    ended = results["first"]
    assert ended.code == 0, ended.err
    return written(folder / "first")


@pytest.fixture(scope="module")
def second(finished: Any) -> Written:
    folder, results = finished
    ended = results["second"]
    assert ended.code == 0, ended.err
    return written(folder / "second")


def test_the_run_is_named_tagged_and_ended(first: Written) -> None:
    run = first.run
    assert (run.project, run.display_name, run.job_type) == ("colorize", "lab_unet_scenes", "train")
    assert list(run.tags) == ["quick", "lab_unet", "scenes"]
    assert run.run_group == ""
    assert first.exit_code == 0


def test_the_config_is_the_composed_one(first: Written) -> None:
    assert first.config["data"]["image_size"] == 32
    assert first.config["model"]["network"] == {"name": "UNet", "width": 4} | first.config["model"]["network"]
    assert first.config["seed"] == 0


def test_every_metric_has_its_axis_and_best_value(first: Written) -> None:
    defined = {metric.name: metric for metric in first.all("metric") if metric.name}
    logged = {name for row in first.history for name in row if name.startswith(("train/", "val", "test/", "floor/"))}
    assert {"train/loss_epoch", "val/psnr", "val_floor/psnr", "test/psnr", "floor/psnr", "test/loss"} <= logged
    assert logged <= set(defined)
    assert {defined[name].step_metric for name in logged} == {"epoch"}
    assert defined["train/loss_step"].step_metric == "trainer/global_step"
    for split in ("val", "test"):
        for name in ("loss", "mse", "mae", "mse_ratio", "delta_e"):
            assert defined[f"{split}/{name}"].summary.min
            assert not defined[f"{split}/{name}"].summary.max
        for name in ("psnr", "psnr_per_image", "ssim"):
            assert defined[f"{split}/{name}"].summary.max
            assert not defined[f"{split}/{name}"].summary.min
        assert not defined[f"{split}/colorfulness"].HasField("summary")
    summary = {"/".join(item.nested_key): item.value_json for update in first.all("summary") for item in update.update}
    assert json.loads(summary["val/psnr"]) == {"max": first.values("val/psnr")[0][1]}


def test_sample_panels_are_pictures_at_their_step(first: Written) -> None:
    rows = [row for row in first.history if "samples/filenames" in row]
    assert [row["trainer/global_step"] for row in rows] == [3, 3]  # after the epoch's four steps, and at the test
    for row in rows:
        (name,) = row["samples/filenames"]
        assert (first.folder / "files" / name).stat().st_size > 1000


def test_the_table_can_be_sorted_by_what_the_test_measured(first: Written) -> None:
    (row,) = [row for row in first.history if row.get("test_pictures/_type") == "table-file"]
    table = json.loads((first.folder / "files" / row["test_pictures/path"]).read_text())
    assert table["columns"] == ["index", "input", "prediction", "truth", "psnr", "delta_e"]
    assert len(table["data"]) == 8
    assert {tuple(cells[1:4]) for cells in table["data"]} == {("Image", "Image", "Image")}
    ((_, psnr),), ((_, delta_e),) = first.values("test/psnr_per_image"), first.values("test/delta_e")
    assert np.mean([cells[4] for cells in table["data"]]) == pytest.approx(psnr, rel=1e-4)
    assert np.mean([cells[5] for cells in table["data"]]) == pytest.approx(delta_e, rel=1e-4)
    pictures = [content.path for content in first.artifact("run_table").manifest.contents]
    assert len([path for path in pictures if path.endswith(".png")]) == 24


def test_the_best_checkpoint_is_the_model(first: Written, finished: Any) -> None:
    model = first.artifact("model")
    assert model.name == f"model-{first.run.run_id}"
    assert sorted(model.aliases) == ["best", "latest"]
    assert json.loads(model.metadata) == json.loads((finished[0] / "first/metrics.json").read_text())
    (content,) = model.manifest.contents
    assert content.path == "best.ckpt"
    assert Path(content.local_path).read_bytes() == (finished[0] / "first/checkpoints/best.ckpt").read_bytes()


def test_the_last_line_uploads_the_run(first: Written, finished: Any) -> None:
    ended = finished[1]["first"]
    assert ended.out.splitlines()[-1] == f"upload: wandb sync {first.folder}"
    assert "kept offline" in ended.out + ended.err
    assert "Traceback" not in ended.err


def test_a_resumed_training_goes_on_in_its_run(first: Written, second: Written, finished: Any) -> None:
    last = torch.load(finished[0] / "second/checkpoints/last.ckpt", weights_only=True)
    assert first.run.run_id == second.run.run_id == last["wandb_run_id"]
    assert second.run.resume  # uploaded after the first, it is added to it
    for name in ("train/loss_epoch", "val/psnr"):
        assert [epoch for run in (first, second) for epoch, _ in run.values(name)] == [0, 1]
    assert [epoch for run in (first, second) for epoch, _ in run.values("test/psnr")] == [1, 2]


def test_each_job_of_a_sweep_is_a_run_and_a_crashed_one_has_failed(finished: Any) -> None:
    folder, results = finished
    ended = results["sweep"]
    assert ended.code == 1
    assert "job 0 failed" in ended.err
    crashed, whole = (written(folder / "my_sweep" / number) for number in ("0", "1"))
    assert crashed.run.run_id != whole.run.run_id
    assert [run.run.run_group for run in (crashed, whole)] == ["my_sweep", "my_sweep"]
    assert (crashed.exit_code, whole.exit_code) == (1, 0)
    assert not crashed.all("artifact")
    assert whole.artifact("model").name == f"model-{whole.run.run_id}"
    assert [line for line in ended.out.splitlines() if line.startswith("upload:")] == [
        f"upload: wandb sync {run.folder}" for run in (crashed, whole)
    ]


def test_an_evaluation_is_a_run_of_its_own(first: Written, finished: Any) -> None:
    folder, results = finished
    ended = results["evaluation"]
    assert ended.code == 0, ended.err
    evaluation = written(folder / "evaluation")
    assert evaluation.run.run_id != first.run.run_id
    assert (evaluation.run.display_name, evaluation.run.job_type) == ("evaluate_first_on_scenes", "evaluate")
    assert list(evaluation.run.tags) == ["LabTask", "UNet", "scenes"]
    assert [artifact.type for artifact in evaluation.all("artifact")] == ["run_table"]
    ((_, psnr),) = evaluation.values("test/psnr")
    assert psnr == pytest.approx(first.values("test/psnr")[0][1], rel=1e-5)


def test_without_logger_wandb_nothing_imports_it(finished: Any) -> None:
    folder, results = finished
    ended = results["without"]
    assert ended.code == 0, ended.err
    assert "test, 8 pictures" in ended.out
    assert not (folder / "without/wandb").exists()
