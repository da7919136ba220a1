"""Comparisons: what varied, the floor first, failures told, seeds averaged, the same pictures side by side."""

import csv
import json
import statistics
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from colorize.compare.__main__ import main
from colorize.compare.comparison import compare
from colorize.compare.labels import labels, names, varied
from colorize.compare.runs import find_runs
from colorize.errors import ColorizeError
from tests.compare.conftest import MakeRun


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_floor_is_the_first_row_and_each_run_has_one(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, 0.004, model="lab_unet")
    make_run(1, 0.006, model="rgb_cae")
    make_run(10, 0.005, model="lab_cae")
    compare([tmp_path / "sweep"], tmp_path)
    floor, *rows = read_csv(tmp_path / "comparison.csv")
    assert (floor["run"], floor["mse"], floor["n_images"], floor["parameters"]) == ("floor", "0.00625", "8", "")
    assert [(row["run"], row["model"], row["mse"]) for row in rows] == [
        ("0", "lab_unet", "0.004"),
        ("1", "rgb_cae", "0.006"),
        ("10", "lab_cae", "0.005"),
    ]
    assert {(row["status"], row["parameters"], row["epochs"], row["seconds"]) for row in rows} == {
        ("done", "1234567", "3", "12.5")
    }
    table = (tmp_path / "comparison.md").read_text().splitlines()
    assert table[2].startswith("| floor |")
    assert "| 1,234,567 | 3 | 12.5 |" in table[3]


def test_only_what_varied_is_a_column(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, model="lab_unet", model__optimizer__lr="0.001", trainer__max_epochs="3", seed="1")
    make_run(1, model="lab_unet", model__optimizer__lr="0.003", trainer__max_epochs="3", seed="2")
    runs = find_runs([tmp_path])
    assert varied(runs) == ["model.optimizer.lr", "seed"]
    assert labels(runs)[1] == ["lr=0.003", "seed=2"]


def test_an_experiment_says_its_model(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, experiment="colorizer_1", model="rgb_cae")
    make_run(1, experiment="cifar10_lab_unet", model="lab_unet")
    assert varied(find_runs([tmp_path])) == ["experiment"]


@pytest.mark.parametrize("error", ["model.network: norm is 'layer'", None])
def test_a_failed_run_is_a_row_that_says_so(error: str | None, make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, model="lab_unet")
    make_run(1, None, error, model="lab_cae")
    compare([tmp_path / "sweep"], tmp_path)
    row = read_csv(tmp_path / "comparison.csv")[-1]
    assert row["status"] == f"failed: {error or 'it has not finished'}"
    assert row["mse"] == ""


def test_seeds_are_averaged(make_run: MakeRun, tmp_path: Path) -> None:
    values = {("lab_unet", "1"): 0.004, ("lab_unet", "2"): 0.005, ("rgb_cae", "1"): 0.008}
    for number, ((model, seed), mse) in enumerate(values.items()):
        make_run(number, mse, model=model, seed=seed)
    compare([tmp_path / "sweep"], tmp_path)
    text = (tmp_path / "comparison.md").read_text().partition("over seeds:")[2]
    assert f"| lab_unet | 2 | 0.4 ± 0 | 0.0045 ± {statistics.stdev([0.004, 0.005]):.2g} |" in text
    assert "| rgb_cae | 1 | 0.4 | 0.008 |" in text
    assert "| floor |" in text


def test_a_resumed_run_is_averaged_with_the_others(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, 0.004, seed="1")
    make_run(1, 0.005, seed="2", resume="true")
    compare([tmp_path / "sweep"], tmp_path)
    text = (tmp_path / "comparison.md").read_text()
    assert f"0.0045 ± {statistics.stdev([0.004, 0.005]):.2g}" in text
    assert "resume" not in text


def test_two_runs_of_a_seed_are_one_of_the_seeds(make_run: MakeRun, tmp_path: Path) -> None:
    for number, (seed, mse) in enumerate([("1", 0.004), ("1", 0.006), ("2", 0.007)]):
        make_run(number, mse, seed=seed)
    compare([tmp_path / "sweep"], tmp_path)
    text = (tmp_path / "comparison.md").read_text().partition("over seeds:")[2]
    assert f"| 2 | 0.4 ± 0 | 0.006 ± {statistics.stdev([0.005, 0.007]):.2g} |" in text


def test_runs_of_one_seed_say_nothing_about_seeds(make_run: MakeRun, tmp_path: Path) -> None:
    for number in range(2):
        make_run(number, seed="1")
    compare([tmp_path / "sweep"], tmp_path)
    assert "over seeds" not in (tmp_path / "comparison.md").read_text()


def test_an_evaluation_is_of_the_model_in_its_checkpoint(make_run: MakeRun, tmp_path: Path) -> None:
    """Whatever model= and experiment= the command line has chosen beside it."""
    make_run(0, 0.004, model="rgb_cae")
    for number, network in ((1, "ConvAutoencoder"), (2, "UNet")):
        path = f"/runs/{network}/checkpoints/best.ckpt"
        folder = make_run(
            number, 0.005, experiment="landscapes_lab", model__network__width="4", fit="false", ckpt_path=path
        )
        config = OmegaConf.load(folder / ".hydra/config.yaml")
        config.model = {"_target_": "colorize.tasks.RGBTask", "network": {"name": network}}
        OmegaConf.save(config, folder / "config.yaml")
    compare([tmp_path / "sweep"], tmp_path)
    _, training, *evaluations = read_csv(tmp_path / "comparison.csv")
    assert training["model"] == "rgb_cae"
    assert [row["model"] for row in evaluations] == ["RGBTask ConvAutoencoder", "RGBTask UNet"]
    assert [row["ckpt_path"] for row in evaluations] == [
        "/runs/ConvAutoencoder/checkpoints/best.ckpt",
        "/runs/UNet/checkpoints/best.ckpt",
    ]
    assert not {"experiment", "model.network.width"} & training.keys()


def test_each_data_set_has_its_own_floor_and_block(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, data="cifar10")
    make_run(1, data="landscapes")
    compare([tmp_path / "sweep"], tmp_path)
    first, second, *_ = read_csv(tmp_path / "comparison.csv")
    assert (first["run"], second["run"]) == ("floor (cifar10, /cifar10)", "floor (landscapes, /landscapes)")
    assert first["mse"] != second["mse"]


def test_the_picture_shows_input_runs_and_truth(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, model="lab_unet")
    make_run(1, model="rgb_cae")
    compare([tmp_path / "sweep"], tmp_path)
    pixels = np.asarray(Image.open(BytesIO((tmp_path / "comparison.png").read_bytes())).convert("RGB"))
    shares = []
    for color in ((90, 90, 90), (10, 250, 10), (200, 30, 30)):
        columns = np.flatnonzero((pixels == color).all(-1).sum(0) > 100)
        shares.append((columns.min(), columns.max(), len(columns)))
    assert shares[0][1] < shares[1][0] <= shares[1][1] < shares[2][0]  # input, then the runs, then truth
    assert shares[1][2] == pytest.approx(2 * shares[0][2], rel=0.05)  # two runs


def test_the_command_compares_runs_of_several_folders(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [make_run(0, model="lab_unet"), make_run(1, model="rgb_cae"), make_run(2, model="lab_cae")]
    main([str(folders[0]), str(folders[2]), "--output", str(tmp_path / "out")])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "comparison.csv",
        "comparison.md",
        "comparison.png",
    }
    out = capsys.readouterr().out
    assert "lab_cae" in out
    assert "rgb_cae" not in out


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="neither a run nor a sweep"):
        find_runs([tmp_path])
    with pytest.raises(SystemExit, match="neither a run nor a sweep"):
        main([str(tmp_path)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", '{"test/mse": 0.0'),
        ("metrics.json", "[1, 2]"),
        (".hydra/config.yaml", "a: ${b"),
        ("test_samples.npz", ""),
    ],
)
def test_a_damaged_file_fails_its_run_only(name: str, content: str, make_run: MakeRun, tmp_path: Path) -> None:
    damaged = make_run(0, model="lab_unet")
    make_run(1, model="rgb_cae")
    (damaged / name).write_text(content)
    first, second = compare([tmp_path / "sweep"], tmp_path)
    assert first.status.startswith(f"failed: {name} is damaged: ")
    assert second.status == "done"


def test_pictures_that_do_not_belong_together_fail_their_run_only(make_run: MakeRun, tmp_path: Path) -> None:
    pictures = make_run(0, model="lab_unet") / "test_samples.npz"
    make_run(1, model="rgb_cae")
    with np.load(pictures) as archive:
        np.savez(pictures, **dict(archive) | {"prediction": np.zeros((8, 5, 5, 3), np.uint8)})
    first, second = compare([tmp_path / "sweep"], tmp_path)
    assert first.status.startswith("failed: test_samples.npz is damaged: ")
    assert second.status == "done"


def test_runs_that_differ_in_nothing_are_told_apart_by_their_folders(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0)
    make_run(1)
    runs = find_runs([tmp_path / "sweep"])
    assert labels(runs) == [["0"], ["1"]]
    (tmp_path / "sweep").rename(tmp_path / "earlier")
    make_run(0)
    runs = find_runs([tmp_path / "earlier", tmp_path / "sweep"])
    assert names(runs) == ["earlier/0", "earlier/1", "sweep/0"]


def test_the_same_folder_twice_is_one_run(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run(0)
    assert len(find_runs([folder, tmp_path / "sweep"])) == 1


def test_runs_share_a_floor_whatever_else_one_of_them_measures(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(0, 0.004, model="rgb_cae")
    file = make_run(1, 0.005, model="lab_unet") / "metrics.json"
    only_lab = {"test/out_of_gamut": 0.25, "floor/out_of_gamut": 0.0}
    file.write_text(json.dumps(json.loads(file.read_text()) | only_lab))
    gray = make_run(2, 0.006, model="gray_cae") / "metrics.json"
    of_color = json.loads(gray.read_text())
    gray.write_text(json.dumps({name: of_color[name] for name in of_color if "colorfulness" not in name}))
    compare([tmp_path / "sweep"], tmp_path)
    color_floor, gray_floor, *rows = read_csv(tmp_path / "comparison.csv")
    assert [row["out_of_gamut"] for row in (color_floor, gray_floor, *rows)] == ["0.0", "", "", "0.25", ""]
    assert [row["run"] for row in rows] == ["0", "1", "2"]
