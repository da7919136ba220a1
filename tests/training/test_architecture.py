"""The table and the diagram of a network, with torchview but without Graphviz."""

import logging
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import nn

from colorize.data.scenes import SceneData
from colorize.tasks import GrayscaleTask, LabTask, ReconstructionTask, RGBTask
from colorize.tasks.base import Task
from colorize.training.callbacks.architecture import Architecture, Shadow, diagram, kind

NETWORKS: dict[str, dict[str, Any]] = {
    "unet": {"name": "UNet", "width": 4, "depth": 2, "blocks": 2},
    "unet at full size": {"name": "UNet", "width": 4, "depth": 1, "unshuffle": 1, "norm": "group"},
    "cae": {"name": "ConvAutoencoder", "width": 4, "depth": 2},
    "strided": {"name": "ConvAutoencoder", "width": 4, "depth": 1, "downsampling": "strided", "upsampling": "nearest"},
    "convnet": {"name": "ConvNet", "image_size": 20, "hidden": 8},
}


def make_task(kind: type[Task], network: dict[str, Any]) -> Task:
    return kind(network=network, loss={"name": "mse"}, optimizer={"name": "Adam"})


def parameters_of(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def draw(callback: Architecture, task: Task) -> None:
    data = SceneData(image_size=20, batch_size=2, train_size=2, val_size=2, test_size=2)
    callback.on_fit_start(SimpleNamespace(datamodule=data), task)  # type: ignore[arg-type]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def make_dot(folder: Path, script: str) -> None:
    (folder / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "dot").chmod(0o755)


@pytest.mark.parametrize("kind", [LabTask, GrayscaleTask, RGBTask, ReconstructionTask])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_title_says_name_parameters_and_shapes(kind: type[Task], network: dict[str, Any]) -> None:
    task = make_task(kind, network)
    side = 24 if network["name"] == "UNet" and network["depth"] == 2 else 20  # padded to a multiple of 8
    expected = f"{network['name']}, {parameters_of(task.network):,} parameters: "
    out = side // task.network.output_stride
    expected += f"{task.target.in_channels} x {side} x {side} -> {task.target.out_channels} x {out} x {out}"
    assert Shadow(task, 20).title() == expected


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_blocks_of_a_diagram_hold_all_parameters(network: dict[str, Any], depth: int) -> None:
    task = make_task(LabTask, network)
    source = diagram(Shadow(task, 20), depth).source
    blocks = re.findall(r"<B>([^<]+)</B><BR/>([\w.]+)<BR/>([\d,]+) parameters</TD>", source)
    counts = {path: int(count.replace(",", "")) for _, path, count in blocks}
    for path, parameters in counts.items():
        assert parameters == parameters_of(task.network.get_submodule(path))
    assert sum(counts.values()) == parameters_of(task.network)
    assert "depth:" not in source


def test_a_network_is_shown_at_its_smallest_picture() -> None:
    """Of one pixel batch norm has no statistics but in evaluation."""
    task = make_task(LabTask, {**NETWORKS["unet"], "norm": "batch"})
    title = Shadow(task, task.network.multiple).title()
    assert title.endswith(f"1 x {task.network.multiple} x {task.network.multiple} -> 2 x 4 x 4")


def test_a_diagram_can_be_drawn_again() -> None:
    shadow = Shadow(make_task(LabTask, NETWORKS["unet"]), 24)
    assert re.findall("<B>[^<]+</B>", diagram(shadow, 2).source) == re.findall(
        "<B>[^<]+</B>", diagram(shadow, 2).source
    )


def test_a_sequence_is_named_after_what_it_does() -> None:
    assert kind(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Identity(), nn.Sequential(nn.ReLU()))) == "Conv2d + ReLU"
    assert kind(nn.Identity()) == "Identity"


def test_one_process_of_several_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    draw(Architecture(str(tmp_path)), make_task(LabTask, NETWORKS["convnet"]))
    assert not list(tmp_path.iterdir())


def test_a_diagram_shows_groups_shapes_and_joins() -> None:
    source = diagram(Shadow(make_task(LabTask, NETWORKS["unet"]), 24), 2).source
    assert "<B>Conv2d + BatchNorm2d + ReLU</B><BR/>encoder.0.0<BR/>152 parameters" in source  # 4 * 4 * 9 + 2 * 4
    assert r'label="encoder.0\l304 parameters\l"' in source
    assert "<B>MaxPool2d</B><BR/>pool</TD>" in source
    assert source.count(">cat<") == 2
    for shape in ("(B, 1, 24, 24)", "(B, 4, 12, 12)", "(B, 16, 3, 3)", "2 x (B, 8, 6, 6)", "(B, 2, 12, 12)"):
        assert shape in source
    assert 'label="UNet, ' in source


def test_looking_at_a_network_leaves_it_and_the_random_numbers_alone(tmp_path: Path, tools: Path) -> None:
    make_dot(tools, "exec /bin/cat")
    task = make_task(LabTask, {**NETWORKS["unet"], "norm": "batch"})
    task.network.encoder[0].eval()
    modes = [module.training for module in task.modules()]
    classes = [type(module) for module in task.modules()]
    state = {name: value.clone() for name, value in task.state_dict().items()}
    random, call = torch.get_rng_state(), nn.Module.__call__
    draw(Architecture(str(tmp_path)), task)
    assert (tmp_path / "architecture.svg").is_file()
    assert [module.training for module in task.modules()] == modes
    assert [type(module) for module in task.modules()] == classes
    assert all(torch.equal(value, state[name]) for name, value in task.state_dict().items())
    assert {parameter.device.type for parameter in task.parameters()} == {"cpu"}
    assert torch.equal(torch.get_rng_state(), random)
    assert nn.Module.__call__ is call


def test_the_table_names_every_layer_of_the_network_and_no_metric(tmp_path: Path, tools: Path) -> None:
    task = make_task(GrayscaleTask, NETWORKS["cae"])
    draw(Architecture(str(tmp_path)), task)
    lines = (tmp_path / "architecture.txt").read_text().splitlines()
    assert lines[0] == Shadow(task, 20).title()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.count("|") == 7]
    names = [row[1] for row in rows[1:]]
    assert names == [f"network.{name}".rstrip(".") for name, _ in task.network.named_modules()]
    first = rows[1:][names.index("network.encoder.0.0")]
    assert first[2:5] == ["Conv2d", "108", "train"]
    assert first[6:] == ["[1, 3, 20, 20]", "[1, 4, 20, 20]"]


def test_dot_turns_the_diagram_into_svg(tmp_path: Path, tools: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_dot(tools, 'echo "$@"\nexec /bin/cat')
    task = make_task(LabTask, NETWORKS["convnet"])
    with caplog.at_level(logging.INFO):
        draw(Architecture(str(tmp_path), depth=1), task)
    arguments, _, source = (tmp_path / "architecture.svg").read_text().partition("\n")
    assert "-Tsvg" in arguments
    assert source.strip() == diagram(Shadow(task, 20), 1).source.strip()
    assert [record.getMessage() for record in caplog.records] == [Shadow(task, 20).title()]
    assert {path.name for path in tmp_path.iterdir()} == {"architecture.svg", "architecture.txt", "bin"}


@pytest.mark.parametrize("lacking", [("dot",), ("torchview",), ("dot", "torchview")])
def test_one_line_says_what_is_missing_and_how_to_get_it(
    lacking: tuple[str, ...],
    tmp_path: Path,
    tools: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if "dot" not in lacking:
        make_dot(tools, "exec /bin/cat")
    if "torchview" in lacking:
        monkeypatch.setitem(sys.modules, "torchview", None)
    with caplog.at_level(logging.INFO):
        draw(Architecture(str(tmp_path)), make_task(LabTask, NETWORKS["unet"]))
    (_, message) = [record.getMessage() for record in caplog.records]
    assert ("pip install 'colorize[architecture]'" in message) == ("torchview" in lacking)
    assert ("install graphviz" in message) == ("dot" in lacking)
    assert (tmp_path / "architecture.txt").stat().st_size > 0
    assert not (tmp_path / "architecture.svg").exists()


def test_a_broken_dot_is_told_of_and_training_goes_on(
    tmp_path: Path, tools: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    make_dot(tools, "/bin/cat >/dev/null\necho 'no fonts' >&2\nexit 3")
    draw(Architecture(str(tmp_path)), make_task(LabTask, NETWORKS["unet"]))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "no fonts" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert capfd.readouterr().err == ""
    assert not (tmp_path / "architecture.svg").exists()
