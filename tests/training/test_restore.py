"""What a run takes from a checkpoint: an evaluation its model and size, a training the certainty that it loads back."""

from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import Tensor, nn

from colorize.errors import ColorizeError
from colorize.networks import Network
from colorize.tasks import LabTask, RGBTask
from colorize.tasks.base import Task
from colorize.training.restore import adopt_checkpoint, check_loads_back, load_task

PLAIN: dict[str, Any] = {
    "network": {"name": "UNet", "width": 4, "depth": 1},
    "loss": {"name": "mse"},
    "optimizer": {"name": "Adam"},
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    task = RGBTask(**PLAIN)
    content: dict[str, Any] = {
        "state_dict": task.state_dict(),
        "hyper_parameters": dict(task.hparams),
        "config": {"data": {"image_size": 48}},
    }
    task.on_save_checkpoint(content)
    torch.save(content, tmp_path / "best.ckpt")
    return tmp_path / "best.ckpt"


def config(checkpoint: Path | None, data: str) -> DictConfig:
    model = {"_target_": "colorize.tasks.LabTask", "network": {"name": "UNet", "width": 32}, "init_from": None}
    size = {"_target_": data, "image_size": 32}
    path = None if checkpoint is None else str(checkpoint)
    cfg = OmegaConf.create({"fit": False, "ckpt_path": path, "model": model, "data": size})
    OmegaConf.set_struct(cfg, True)
    return cfg


def test_an_evaluation_is_of_the_checkpoints_own_model_and_size(checkpoint: Path) -> None:
    cfg = config(checkpoint, "colorize.data.scenes.SceneData")
    adopt_checkpoint(cfg)
    assert cfg.model._target_ == "colorize.tasks.rgb.RGBTask"
    assert cfg.model.network == PLAIN["network"]
    assert "luminance" not in cfg.model
    assert cfg.data.image_size == 48


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"_target_": "os.system"}, "_target_"),
        ({"_partial_": True}, "_partial_"),
        ({"network": {"name": "UNet", "_target_": "os.system"}}, "_target_"),
        ({"optimizer": {"name": "Adam", "lr": "${oc.env:HOME}"}}, "oc.env:HOME"),
        ({"loss": [{"name": "${oc.env:HOME}"}]}, "oc.env:HOME"),
        ({"${oc.env:HOME}": 1}, "oc.env:HOME"),
        ({"scheduler": {"name": "cosine", "lr": torch.zeros(1)}}, "Tensor"),
    ],
)
def test_a_checkpoint_names_no_class_and_no_variable_of_the_environment(
    change: dict[str, Any], words: str, checkpoint: Path
) -> None:
    """What it says becomes a part of the configuration, in which Hydra and OmegaConf read such words as orders."""
    content = torch.load(checkpoint, weights_only=True)
    content["hyper_parameters"] |= change
    torch.save(content, checkpoint)
    cfg = config(checkpoint, "colorize.data.scenes.SceneData")
    before = OmegaConf.to_yaml(cfg)
    with pytest.raises(ColorizeError, match=f"{words}.* which no training of ours wrote") as caught:
        adopt_checkpoint(cfg)
    assert "\n" not in str(caught.value)
    assert OmegaConf.to_yaml(cfg) == before


def test_an_old_evaluation_says_the_luminance_that_it_is_of(tmp_path: Path) -> None:
    task = LabTask(**PLAIN)
    old = {key: value for key, value in task.hparams.items() if key != "luminance"}
    torch.save({"task": "LabTask", "hyper_parameters": old, "state_dict": task.state_dict()}, tmp_path / "old.ckpt")
    cfg = config(tmp_path / "old.ckpt", "colorize.data.scenes.SceneData")
    adopt_checkpoint(cfg)
    assert cfg.model.luminance == load_task(tmp_path / "old.ckpt").target.luminance == "lab"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [0, -48, 2049, 48.0, "48", None])
def test_a_size_that_no_training_has_is_not_taken(size: Any, checkpoint: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    torch.save(content | {"config": {"data": {"image_size": size}}}, checkpoint)
    cfg = config(checkpoint, "colorize.data.scenes.SceneData")
    adopt_checkpoint(cfg)
    assert cfg.data.image_size == 32


def test_the_largest_size_is_taken_and_no_model_is_needed(checkpoint: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    torch.save(content | {"config": {"data": {"image_size": 2048}}}, checkpoint)
    cfg = config(checkpoint, "colorize.data.scenes.SceneData")
    with open_dict(cfg):
        del cfg.model  # ~model
    adopt_checkpoint(cfg)
    assert cfg.model.network == PLAIN["network"]
    assert cfg.data.image_size == 2048


@pytest.mark.parametrize("name", [["LabTask"], None, 7, {"name": "LabTask"}])
def test_a_task_is_named_by_text(name: Any, checkpoint: Path) -> None:
    torch.save(torch.load(checkpoint, weights_only=True) | {"task": name}, checkpoint)
    with pytest.raises(ColorizeError, match="is unknown"):
        load_task(checkpoint)


def test_data_of_one_size_keeps_it(checkpoint: Path) -> None:
    cfg = config(checkpoint, "colorize.data.cifar10.CIFAR10Data")
    adopt_checkpoint(cfg)
    assert cfg.data.image_size == 32


def test_without_a_checkpoint_nothing_changes(tmp_path: Path) -> None:
    for path in (None, tmp_path / "none.ckpt"):
        cfg = config(path, "colorize.data.scenes.SceneData")
        before = OmegaConf.to_container(cfg)
        adopt_checkpoint(cfg)
        assert OmegaConf.to_container(cfg) == before


def test_a_task_that_is_in_no_list_loads_back(tmp_path: Path) -> None:
    class UnlistedTask(RGBTask):
        pass

    task = UnlistedTask(**PLAIN)
    check_loads_back(task)
    content: dict[str, Any] = {"state_dict": task.state_dict(), "hyper_parameters": dict(task.hparams)}
    task.on_save_checkpoint(content)
    torch.save(content, tmp_path / "own.ckpt")
    assert type(load_task(tmp_path / "own.ckpt")) is UnlistedTask


class Doubling(Network):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x)
        return out


def wider(task: Task) -> None:
    task.network = Doubling(1, 2)


def with_an_object(task: Task) -> None:
    task.hparams["scheduler"] = object()


def with_another_target(task: Task) -> None:
    task.hparams["luminance"] = "lab"


@pytest.mark.parametrize("spoil", [wider, with_an_object, with_another_target])
def test_what_could_not_be_loaded_back_is_refused_before_the_training(spoil: Any) -> None:
    with torch.device("meta"):
        task = LabTask(**PLAIN)
        check_loads_back(task)
        spoil(task)
        with pytest.raises(ColorizeError, match="could not be loaded back"):
            check_loads_back(task)
