"""`model.init_from`: a training begins with the weights of another, of a file, or of those that ship."""

from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError
from colorize.tasks import LabBinsTask, LabHybridTask, LabTask, ReconstructionTask, RGBTask
from colorize.tasks.base import Task
from colorize.training.config import expand_paths
from colorize.training.initialize import start_from
from colorize.training.restore import task_to_evaluate
from colorize.weights.exported import write_exported
from colorize.weights.loading import load_weights
from colorize.weights.model import Model

PLAIN: dict[str, Any] = {"loss": {"name": "mse"}, "optimizer": {"name": "Adam"}}
SMALL: dict[str, Any] = {"name": "UNet", "width": 4, "depth": 1}
CROSS_ENTROPY: dict[str, Any] = {"name": "soft_cross_entropy", "neighbors": 10, "sigma": 5}
EVERY_KIND: dict[str, Task] = {
    "regression": LabTask(SMALL, **PLAIN),
    "bins": LabBinsTask(SMALL, CROSS_ENTROPY, PLAIN["optimizer"], grid=10),
    "hybrid": LabHybridTask(SMALL, **PLAIN, cross_entropy_loss=CROSS_ENTROPY, grid=10),
}


def save(task: Task, folder: Path) -> Path:
    """A run's checkpoint of this task."""
    config = {"data": {"image_size": 16}}
    content: dict[str, Any] = {
        "state_dict": task.state_dict(),
        "hyper_parameters": dict(task.hparams),
        "config": config,
    }
    task.on_save_checkpoint(content)
    torch.save(content, folder / "best.ckpt")
    return folder / "best.ckpt"


def export(kind: str, folder: Path) -> Path:
    path, task = folder / f"{kind}.safetensors", EVERY_KIND[kind]
    write_exported(path, Model(task.target, task.network), {"image_size": 16}, torch.float32)
    return path


def test_a_colorizer_starts_from_an_autoencoder_where_shapes_match(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = {"name": "ConvAutoencoder", "width": 4, "depth": 1}
    autoencoder, colorizer = ReconstructionTask(network, **PLAIN), RGBTask(network, **PLAIN)
    before = {name: value.clone() for name, value in colorizer.state_dict().items()}
    start_from(colorizer, str(save(autoencoder, tmp_path)))
    for name, value in colorizer.state_dict().items():
        first = name == "network.encoder.0.0.weight"
        assert torch.equal(value, (before if first else autoencoder.state_dict())[name]), name
    total = len(before)
    assert f"{total - 1} of the network's {total} tensors start from it" in caplog.text
    assert "start anew: encoder.0.0.weight 4x1x3x3; not used: encoder.0.0.weight 4x3x3x3." in caplog.text


def test_a_start_from_a_network_with_nothing_in_common_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="no weight of the same name and shape"):
        start_from(
            RGBTask({"name": "ConvNet", "image_size": 16}, **PLAIN), str(save(LabTask(SMALL, **PLAIN), tmp_path))
        )


def test_a_training_starts_from_weights_that_ship(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They say ab and bins; a regression takes their ab."""
    model, _ = load_weights("photographs")
    task = LabTask(dict(model.network.spec), **PLAIN)
    start_from(task, "photographs")
    theirs = model.network.state_dict()
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, theirs[name][:2] if name.startswith("head.") else theirs[name]), name
    total = len(theirs)
    taken = f"init_from=photographs: {total} of the network's {total} tensors start from it, of the head ab alone"
    assert f"{taken}; start anew: none; not used: head.weight 227x" in caplog.text
    caplog.clear()
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    start_from(task, "photographs")
    assert not caplog.text  # one process of several says it


@pytest.mark.parametrize("kind", ["regression", "bins", "hybrid"])
@pytest.mark.parametrize("other", ["regression", "bins", "hybrid"])
def test_of_a_head_what_means_the_same_is_taken(kind: str, other: str, tmp_path: Path) -> None:
    source, task = EVERY_KIND[kind], type(EVERY_KIND[other])(**EVERY_KIND[other].hparams)
    before = task.network.state_dict()["head.weight"].clone()
    start_from(task, str(export(kind, tmp_path)))
    theirs, ours = source.network.state_dict()["head.weight"], task.network.state_dict()["head.weight"]
    if kind == other:
        assert torch.equal(ours, theirs)
    elif "bins" in (kind, other):
        assert torch.equal(ours, before)
    else:
        assert torch.equal(ours[:2], theirs[:2])
        assert torch.equal(ours[2:], before[2:])


def test_only_of_a_head_a_part_is_taken(tmp_path: Path) -> None:
    """Vectors of another width would fit from their third value on, whatever layer they are of."""
    theirs = EVERY_KIND["regression"].network.state_dict()
    task = LabTask({**SMALL, "width": 8}, **PLAIN)
    before = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    start_from(task, str(export("regression", tmp_path)))
    kept = {name for name, tensor in before.items() if tensor.shape != theirs[name].shape}
    assert any(name.endswith(".bias") for name in kept)
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, (before if name in kept else theirs)[name]), name


def test_an_evaluation_is_of_whole_weights_alone(tmp_path: Path) -> None:
    model = {"_target_": "colorize.tasks.LabTask", "network": SMALL, **PLAIN}
    cfg = OmegaConf.create({"fit": False, "ckpt_path": None, "model": model})
    cfg.model.init_from = str(export("hybrid", tmp_path))
    task = task_to_evaluate(cfg)
    theirs = EVERY_KIND["hybrid"].network.state_dict()
    assert not task.training
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, theirs[name][:2] if name.startswith("head.") else theirs[name]), name
    cfg.model.init_from = str(export("bins", tmp_path))
    with pytest.raises(
        ColorizeError, match=r"bins\.safetensors lacks 2 tensors of this model \(head\.weight, \.\.\.\)"
    ):
        task_to_evaluate(cfg)


def test_bins_that_start_anew_are_said_and_not_evaluated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hybrid = {**PLAIN, "cross_entropy_loss": CROSS_ENTROPY}
    cfg = OmegaConf.create(
        {"ckpt_path": None, "model": {"_target_": "colorize.tasks.LabHybridTask", "network": SMALL, **hybrid}}
    )
    cfg.model.init_from = str(export("regression", tmp_path))
    with pytest.raises(ColorizeError, match=r"lacks 2 tensors of this model \(head\.weight, \.\.\.\)"):
        task_to_evaluate(cfg)
    assert ", of the head ab alone; start anew: head.weight 227x4x1x1, head.bias 227; not used: none." in caplog.text


@pytest.mark.parametrize("source", ["photographs", "hf://ada/colours", "hf://ada/colours@v1"])
def test_names_are_no_paths(source: str) -> None:
    empty: dict[str, Any] = {"ckpt_path": None, "run_dir": "runs"}
    cfg = OmegaConf.create({**empty, "model": {"init_from": source, "encoder_weights": None}})
    expand_paths(cfg)
    assert cfg.model.init_from == source
