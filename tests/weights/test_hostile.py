"""What a stranger's file of weights may ask for: no code, no other class, no more memory than the file has bytes."""

import itertools
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.tasks import LabTask
from colorize.training.initialize import start_from
from colorize.training.restore import load_task
from colorize.weights.checkpoint import load_model, read_checkpoint
from colorize.weights.model import PREFIX, rebuild_model

PLAIN: dict[str, Any] = {"loss": {"name": "mse"}, "optimizer": {"name": "Adam"}}


def content(network: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """That of a run's checkpoint, with weights that need next to no room in the file."""
    with torch.device("meta"):
        task = LabTask(network, **PLAIN)
    tensors = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in task.state_dict().items()}
    checkpoint: dict[str, Any] = {
        "state_dict": tensors,
        "hyper_parameters": dict(task.hparams),
        "config": {"data": {"image_size": 32}},
    }
    task.on_save_checkpoint(checkpoint)
    return checkpoint | changes


def header(network: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"format": 2, "target": {"name": "LabTarget"}, "network": network, "image_size": 32} | changes


def write(path: Path, network: dict[str, Any], **changes: Any) -> Path:
    """An exported file with weights of that network."""
    state = {name: tensor.contiguous() for name, tensor in LabTask(network, **PLAIN).state_dict().items()}
    save_file(state, path, {"colorize": json.dumps(header(network, **changes))})
    return path


def refused(path: Path, words: str) -> None:
    for load in (load_model, load_task, read_checkpoint):
        with pytest.raises(ColorizeError, match=words) as caught:
            load(path)
        assert "\n" not in str(caught.value)


def test_tensors_larger_than_their_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.ckpt"
    torch.save(content({"name": "UNet", "width": 64, "depth": 2}), path)
    assert path.stat().st_size < 100_000
    refused(path, "holds fewer bytes than its weights need")
    with pytest.raises(ColorizeError, match="holds fewer bytes"):
        start_from(LabTask({"name": "UNet", "width": 4, "depth": 1}, **PLAIN), str(path))
    many = {f"{PREFIX}{number}": torch.empty(2**40, device="meta") for number in range(3)}
    torch.save(content({"name": "UNet", "width": 4, "depth": 1}, state_dict=many), path)
    refused(path, "holds fewer bytes than its weights need")


@pytest.mark.parametrize(
    "state", [["network.head.weight"], {"network.head.weight": "x"}, {1: torch.zeros(1)}, {"a": [torch.zeros(1)]}]
)
def test_weights_that_are_none_are_refused(state: Any, tmp_path: Path) -> None:
    torch.save(content({"name": "UNet", "width": 4, "depth": 1}, state_dict=state), tmp_path / "odd.ckpt")
    refused(tmp_path / "odd.ckpt", "its weights are not tensors by name")


@pytest.mark.parametrize("overlap", [False, True], ids=["compressed", "twice the same bytes"])
def test_an_archive_that_unpacks_to_more_than_it_holds_is_refused(overlap: bool, tmp_path: Path) -> None:
    weights = {"network.head.weight": torch.zeros(500_000), "network.head.bias": torch.zeros(500_000)}
    torch.save(content({"name": "UNet", "width": 4, "depth": 1}, state_dict=weights), tmp_path / "whole.ckpt")
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(tmp_path / "whole.ckpt") as whole, zipfile.ZipFile(path, "w") as bomb:
        method = zipfile.ZIP_STORED if overlap else zipfile.ZIP_DEFLATED
        names = [name for name in whole.namelist() if not (overlap and name.endswith("/data/1"))]
        for name in names:
            bomb.writestr(name, whole.read(name), method)
        if overlap:
            first = next(info for info in bomb.filelist if info.filename.endswith("/data/0"))
            again = zipfile.ZipInfo(first.filename.replace("/data/0", "/data/1"))
            for field in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(again, field, getattr(first, field))
            bomb.filelist.append(again)
            bomb.NameToInfo[again.filename] = again
    assert path.stat().st_size < 2_500_000
    refused(path, "is refused")


@pytest.mark.parametrize(
    "network",
    [
        {"name": "UNet", "width": 1, "depth": 12, "max_width": 1, "blocks": 1, "unshuffle": 8},
        {"name": "ConvAutoencoder", "width": 1, "depth": 12, "max_width": 1},
    ],
)
def test_a_network_that_pads_pictures_beyond_its_training_is_refused(network: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", network)
    with pytest.raises(ColorizeError, match=r"pictures of at least .* but says that it was trained on 32"):
        Colorizer.load(path, device="cpu")


@pytest.mark.parametrize("size", [2049, 65536])
def test_a_working_size_that_no_training_has_is_refused(size: int, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", {"name": "UNet", "width": 4, "depth": 1}, image_size=size)
    with pytest.raises(ColorizeError, match="does not say the image size"):
        Colorizer.load(path, device="cpu")


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"format": ' * 200_000, f'{{"format": {"9" * 100_000}}}', '{"format": 2, "format": 9}'],
    ids=["lists", "mappings", "number", "twice"],
)
def test_a_hostile_header_is_refused(text: str, tmp_path: Path) -> None:
    save_file({"network.x": torch.zeros(1)}, tmp_path / "x.safetensors", {"colorize": text})
    with pytest.raises(ColorizeError) as caught:
        Colorizer.load(tmp_path / "x.safetensors")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "tensors",
    [
        {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}},
        {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in "ab"},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**42]}},
    ],
    ids=["larger", "overlapping", "beyond the end"],
)
def test_a_safetensors_file_cannot_stand_for_more_than_it_holds(tensors: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(tensors | {"__metadata__": {"colorize": json.dumps(header({"name": "UNet"}))}}).encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(ColorizeError, match="cannot be read as a safetensors file"):
        Colorizer.load(tmp_path / "x.safetensors")


ARGUMENTS = {
    "UNet": ("width", "depth", "blocks", "max_width", "unshuffle", "norm"),
    "ConvAutoencoder": ("width", "depth", "max_width", "norm", "downsampling", "upsampling"),
    "ConvNet": ("image_size", "hidden", "activation"),
    "EncoderUNet": ("encoder", "decoder_channels", "upscale"),
}
VALUES: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**40, 10**5000, float("nan"), "x", [], [1] * 4, [[1]] * 4, {}, b"x")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_any_value_of_any_argument_is_refused_in_one_sentence(name: str) -> None:
    state = {f"{PREFIX}x": torch.zeros(1)}
    for argument, value in itertools.product(ARGUMENTS[name], VALUES):
        network = {"name": name, "norm": "group"} if "norm" in ARGUMENTS[name] else {"name": name}
        with pytest.raises(ColorizeError, match="does not fit its own description"):
            rebuild_model(Path("x.ckpt"), {"name": "LabTarget"}, network | {argument: value}, state)
