"""A checkpoint is data: ours come back the same, a stranger's runs nothing."""

import json
import pickle
from pathlib import Path
from zipfile import ZipFile

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.tasks import LabTask
from colorize.training.callbacks import SaveConfig
from colorize.training.restore import load_task
from colorize.weights.checkpoint import load_model, read_checkpoint
from colorize.weights.model import fingerprint


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabTask, Path]:
    folder = tmp_path_factory.mktemp("run")
    pl.seed_everything(0, verbose=False)
    task = LabTask(
        network={"name": "UNet", "width": 4, "depth": 1},
        loss={"name": "smooth_l1", "beta": 0.1},
        optimizer={"name": "AdamW", "lr": 1e-3},
        scheduler={"name": "cosine"},
    )
    data = SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4)
    saver = ModelCheckpoint(folder, "best", monitor="val/loss", save_last=True)
    config = SaveConfig({"data": {"image_size": 16}})
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, callbacks=[saver, config], enable_progress_bar=False
    )
    trainer.fit(task, datamodule=data)
    return task.eval(), folder / "best.ckpt"


def test_a_checkpoint_gives_the_same_task_back(trained: tuple[LabTask, Path]) -> None:
    task, path = trained
    assert torch.load(path, weights_only=True)["task"] == "LabTask"
    loaded = load_task(path)
    assert read_checkpoint(path)["config"] == {"data": {"image_size": 16}}
    assert not loaded.training
    x = torch.rand(1, 1, 20, 20)
    with torch.no_grad():
        assert torch.equal(task(x), loaded(x))


def test_a_colorizer_needs_the_checkpoint_alone(trained: tuple[LabTask, Path]) -> None:
    assert Colorizer.load(trained[1], device="cpu").working_size == 16


class Bomb:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "was-run"
    torch.save({"task": "LabTask", "hyper_parameters": {}, "state_dict": Bomb(trace)}, tmp_path / "torch.ckpt")
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps(Bomb(trace)))
    for name in ("torch.ckpt", "plain.ckpt"):
        with pytest.raises(ColorizeError, match="refused"):
            load_task(tmp_path / name)
    assert not trace.exists()
    pickle.loads((tmp_path / "plain.ckpt").read_bytes())
    assert trace.exists()  # the bomb was live


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": "os.system"}, "task 'os.system' is unknown"),
        ({"task": "Task"}, "task 'Task' is unknown"),
        ({"network": {"_target_": "os.system", "command": "touch was-run"}}, "must be a mapping with a name"),
        ({"network": {"name": "os.system", "command": "touch was-run"}}, "'os.system' is unknown"),
        ({"network": {"name": "UNet", "width": 8, "depth": 1}}, "does not fit its own description"),
        ({"network": {"name": "_Hidden"}}, "'_Hidden' is unknown"),
    ],
)
def test_names_are_looked_up_among_our_classes_only(
    trained: tuple[LabTask, Path],
    change: dict[str, object],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = torch.load(trained[1], weights_only=True)
    checkpoint["task"] = change.get("task", "LabTask")
    network = {key: value for key, value in change.items() if key == "network"}
    checkpoint["hyper_parameters"] |= network
    old = {key: value for key, value in checkpoint.items() if key not in ("target", "network")}
    for content, load in ((checkpoint, load_task), (checkpoint | network, load_model), (old, load_model)):
        if content is not old and "network" not in change and load is load_model:
            continue  # inference does not read the name of the task
        torch.save(content, "changed.ckpt")
        with pytest.raises(ColorizeError, match=words) as caught:
            load(Path("changed.ckpt"))
        assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["changed.ckpt"]


def test_a_missing_tensor_is_refused(trained: tuple[LabTask, Path], tmp_path: Path) -> None:
    checkpoint = torch.load(trained[1], weights_only=True)
    del checkpoint["state_dict"]["network.head.weight"]
    torch.save(checkpoint, tmp_path / "short.ckpt")
    with pytest.raises(ColorizeError, match="does not fit"):
        load_task(tmp_path / "short.ckpt")
    with pytest.raises(ColorizeError, match="does not fit"):
        load_model(tmp_path / "short.ckpt")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04 no archive"])
def test_other_files_are_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.ckpt"
    path.write_bytes(content)
    with pytest.raises(ColorizeError, match=r"other\.ckpt") as caught:
        load_task(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pickled", [b"", b"\x80\x02.", b"\x80\x02K", b"\x80\x02X\x02\0\0\0\xff\xff."])
def test_a_damaged_pickle_is_refused_in_one_sentence(pickled: bytes, tmp_path: Path) -> None:
    torch.save({}, tmp_path / "whole.ckpt")
    with ZipFile(tmp_path / "whole.ckpt") as whole, ZipFile(tmp_path / "x.ckpt", "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, pickled if name.endswith("data.pkl") else whole.read(name))
    with pytest.raises(ColorizeError, match=r"x\.ckpt cannot be read as a checkpoint"):
        load_task(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_project_and_a_missing_one_are_named(tmp_path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, tmp_path / "foreign.ckpt")
    with pytest.raises(ColorizeError, match="not a checkpoint of this project"):
        load_task(tmp_path / "foreign.ckpt")
    with pytest.raises(ColorizeError, match="There is no checkpoint"):
        load_task(tmp_path / "nothing.ckpt")


def test_inference_needs_no_loss_and_no_optimizer(trained: tuple[LabTask, Path], tmp_path: Path) -> None:
    checkpoint = torch.load(trained[1], weights_only=True)
    checkpoint["hyper_parameters"] |= {"loss": {"name": "renamed since"}, "optimizer": {"name": "gone"}}
    torch.save(checkpoint, tmp_path / "renamed.ckpt")
    assert Colorizer.load(tmp_path / "renamed.ckpt", device="cpu").working_size == 16
    with pytest.raises(ColorizeError, match="'renamed since' is unknown"):
        load_task(tmp_path / "renamed.ckpt")


def test_an_old_checkpoint_sees_the_luminance_that_it_was_trained_with(
    trained: tuple[LabTask, Path], tmp_path: Path
) -> None:
    checkpoint = torch.load(trained[1], weights_only=True)
    del checkpoint["target"], checkpoint["network"], checkpoint["hyper_parameters"]["luminance"]
    for luminance in (None, "lab", "gray"):
        if luminance is not None:
            checkpoint["hyper_parameters"]["luminance"] = luminance
        torch.save(checkpoint, tmp_path / "old.ckpt")
        model, _ = load_model(tmp_path / "old.ckpt")
        assert model.target.describe() == {"name": "LabTarget", "luminance": luminance or "lab"}
        assert load_task(tmp_path / "old.ckpt").target == model.target
        x = torch.rand(1, 1, 20, 20)
        with torch.no_grad():
            assert torch.equal(model.target.predict(model.network, x), trained[0](x))


def test_only_the_checkpoint_that_was_tested_has_the_metrics(trained: tuple[LabTask, Path], tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    best, other = (tmp_path / "checkpoints" / name for name in ("best.ckpt", "other.ckpt"))
    best.write_bytes(trained[1].read_bytes())
    checkpoint = torch.load(best, weights_only=True)
    checkpoint["state_dict"]["network.head.bias"] += 1
    torch.save(checkpoint, other)
    metrics = {"test/mse": 0.5, "weights": fingerprint(load_model(best)[0].network)}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert Colorizer.load(best, device="cpu").facts["metrics"] == metrics
    assert "metrics" not in Colorizer.load(other, device="cpu").facts


def test_a_damaged_metrics_file_is_named(trained: tuple[LabTask, Path], tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/best.ckpt").write_bytes(trained[1].read_bytes())
    (tmp_path / "metrics.json").write_text('{"test/mse": ')
    with pytest.raises(ColorizeError, match=r"metrics\.json is damaged"):
        Colorizer.load(tmp_path / "checkpoints/best.ckpt")
