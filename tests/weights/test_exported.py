"""Exported colorizers: one safetensors file, the same pictures, no code, nothing believed unchecked."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.networks import UNet
from colorize.scenery import render_scenes
from colorize.targets import LabTarget
from colorize.tasks import LabTask
from colorize.weights.model import Model


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Colorizer, Path]:
    torch.manual_seed(0)
    task = LabTask({"name": "UNet", "width": 4, "depth": 2}, {"name": "mse"}, {"name": "Adam"})
    facts = {"image_size": 32, "data": {"name": "own"}, "epochs": 3, "metrics": {"test/mse": 0.005, "floor/mse": 0.007}}
    colorizer = Colorizer(Model(task.target, task.network), facts, device="cpu")
    colorizer.save(tmp_path / "own.safetensors")
    return colorizer, tmp_path / "own.safetensors"


def change(path: Path, **changes: Any) -> None:
    """Write the file anew with other values in its header; `tensors` are other weights."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["colorize"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(changes.pop("tensors", tensors), path, {"colorize": json.dumps(header | changes)})


def test_the_same_pictures_come_back(exported: tuple[Colorizer, Path]) -> None:
    colorizer, path = exported
    loaded = Colorizer.load(path, device="cpu")
    scene = render_scenes([1], 64)[0]
    difference = np.abs(loaded.render(scene).astype(int) - colorizer.render(scene))
    assert difference.max() <= 2  # float16 weights
    assert loaded.facts["metrics"] == {"test/mse": 0.005, "floor/mse": 0.007}
    colorizer.save(path, dtype=torch.float32)
    assert np.array_equal(Colorizer.load(path, device="cpu").render(scene), colorizer.render(scene))


def test_the_gains_go_along(exported: tuple[Colorizer, Path]) -> None:
    plain, path = exported
    vivid = Colorizer(
        Model(plain.target, plain.network), plain.facts | {"chroma_gain": 1.5, "cast_gain": 0.5}, device="cpu"
    )
    vivid.save(path, dtype=torch.float32)
    loaded = Colorizer.load(path, device="cpu")
    small = torch.rand(1, 3, 32, 32)
    ab = plain.predict_ab(small)
    torch.testing.assert_close(loaded.predict_ab(small), 1.5 * (ab - ab.mean((2, 3), keepdim=True) / 2))


def test_the_scale_of_the_mirror_image_goes_along(exported: tuple[Colorizer, Path]) -> None:
    plain, path = exported
    scaled = Colorizer(Model(plain.target, plain.network), plain.facts | {"tta_scale": 0.5}, device="cpu")
    scaled.save(path, dtype=torch.float32)
    loaded = Colorizer.load(path, device="cpu")
    small = torch.rand(2, 3, 32, 48)
    mirrored = plain.predict_ab(F.interpolate(small.flip(-1), (16, 24), mode="bicubic", antialias=True).clamp(0, 1))
    expected = (plain.predict_ab(small) + F.interpolate(mirrored.flip(-1), (32, 48), mode="bilinear")) / 2
    torch.testing.assert_close(loaded.predict_ab(small, tta=True), expected)
    torch.testing.assert_close(loaded.predict_ab(small), plain.predict_ab(small))


def test_the_header_says_what_it_is(exported: tuple[Colorizer, Path]) -> None:
    with safe_open(exported[1], framework="pt") as file:
        header = json.loads(file.metadata()["colorize"])
        assert file.get_tensor("network.head.weight").dtype == torch.float16
        assert file.get_tensor("network.encoder.0.0.1.running_var").dtype == torch.float32
    assert header["target"] == {"name": "LabTarget", "luminance": "gray"}
    assert header["network"] == {"name": "UNet", "width": 4, "depth": 2}
    assert (header["image_size"], header["epochs"], header["format"]) == (32, 3, 2)
    assert header["version"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": {"name": "os.system"}}, "'os.system' is unknown"),
        ({"target": ["LabTarget"]}, "must be a mapping with a name"),
        ({"target": {"name": "LabTarget", "luminance": "value"}}, "must be gray or lab"),
        ({"target": {"name": "LabTarget", "color": 1}}, "unexpected keyword argument"),
        ({"network": "rm"}, "must be a mapping with a name"),
        ({"network": {"_target_": "os.system"}}, "does not fit its own description"),
        ({"network": {"name": "os.system"}}, "unknown"),
        ({"network": {"name": "UNet", "width": 2**40, "depth": 2}}, "does not fit its own description"),
        ({"network": {"name": "UNet", "width": 4, "depth": 10**9}}, "depth must be at most 12"),
        ({"format": 1, "task": "os.system", "arguments": {}}, "task 'os.system' is unknown"),
        ({"format": 1, "task": ["LabTask"], "arguments": {}}, "is unknown"),
        ({"format": 1, "task": "LabTask", "arguments": "rm"}, "its arguments are str, not a mapping"),
        ({"format": 1, "task": "LabTask", "arguments": {}}, "must be a mapping with a name"),
        ({"format": 1}, "its header does not describe one"),
        ({"tensors": {"network.head.weight": torch.zeros(1)}}, "does not fit its own description"),
        ({"image_size": "64; rm"}, "does not say the image size"),
        ({"image_size": 10**9}, "does not say the image size"),
        ({"chroma_gain": "2; rm"}, "must be a number from 0 to 10"),
        ({"chroma_gain": 11}, "must be a number from 0 to 10"),
        ({"chroma_gain": float("nan")}, "must be a number from 0 to 10"),
        ({"cast_gain": -0.1}, "has the cast_gain -0.1, which must be a number from 0 to 10"),
        ({"tta_scale": 0}, "must be a number from 0.25 to 4"),
        ({"format": 3}, "has format 3, but this version reads 1 and 2"),
    ],
)
def test_a_strangers_file_is_checked(exported: tuple[Colorizer, Path], changes: dict[str, Any], words: str) -> None:
    change(exported[1], **changes)
    with pytest.raises(ColorizeError, match=words) as caught:
        Colorizer.load(exported[1])
    assert "\n" not in str(caught.value)


def test_a_file_of_the_first_format_gives_the_same_pictures(exported: tuple[Colorizer, Path]) -> None:
    colorizer, path = exported
    colorizer.save(path, dtype=torch.float32)
    arguments = {"network": {"name": "UNet", "width": 4, "depth": 2}, "loss": {"name": "gone"}, "luminance": "gray"}
    change(path, format=1, task="LabTask", arguments=arguments, target=None, network=None)
    scene = render_scenes([1], 64)[0]
    assert np.array_equal(Colorizer.load(path, device="cpu").render(scene), colorizer.render(scene))


def test_other_files_are_refused_in_one_sentence(exported: tuple[Colorizer, Path], tmp_path: Path) -> None:
    whole = exported[1].read_bytes()
    contents = [b"", b"hello", whole[: len(whole) // 2], struct.pack("<Q", 2**63) + b"{}", b"\x80\x04pickle"]
    for content in contents:
        path = tmp_path / "other.safetensors"
        path.write_bytes(content)
        with pytest.raises(ColorizeError, match="cannot be read as a safetensors file"):
            Colorizer.load(path)
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ColorizeError, match="is not a colorizer of this project"):
        Colorizer.load(tmp_path / "other.safetensors")
    with pytest.raises(ColorizeError, match="There is no exported colorizer"):
        Colorizer.load(tmp_path / "none.safetensors")


def test_what_cannot_be_written_is_said(exported: tuple[Colorizer, Path], tmp_path: Path) -> None:
    colorizer = exported[0]
    with pytest.raises(ColorizeError, match=r"must end in \.safetensors"):
        colorizer.save(tmp_path / "own.ckpt")
    with pytest.raises(ColorizeError, match="cannot be written"):
        colorizer.save(tmp_path / "no folder/own.safetensors")
    colorizer.network.head.weight.data.fill_(1e6)  # type: ignore[union-attr, operator]
    with pytest.raises(ColorizeError, match=r"not finite as torch\.float16; save it as torch\.float32"):
        colorizer.save(tmp_path / "large.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["own.safetensors"]


def test_a_network_that_cannot_be_described_is_not_written(tmp_path: Path) -> None:
    colorizer = Colorizer(Model(LabTarget(), UNet(1, 2, width=4, depth=1)), {"image_size": 32}, device="cpu")
    with pytest.raises(ColorizeError, match="its UNet has no description: make it with build_network"):
        colorizer.save(tmp_path / "own.safetensors")


def test_integers_hold_no_weights(exported: tuple[Colorizer, Path], tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"torch\.int8 holds no weights: save them as torch\.float16"):
        exported[0].save(tmp_path / "small.safetensors", dtype=torch.int8)
