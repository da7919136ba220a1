"""Weights by name or file: what is said of those that are not there or cannot be used."""

from pathlib import Path

import pytest
import torch

from colorize import Colorizer
from colorize.errors import ColorizeError
from colorize.networks import build_network
from colorize.targets import RGBTarget
from colorize.weights.loading import load_weights
from colorize.weights.model import Model


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("", "checkpoint 'xxx.* is unknown"),
        (".ckpt", "There is no checkpoint"),
        (".safetensors", "There is no exported colorizer"),
        (".onnx", "There is no ONNX file"),
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_that_of_none(suffix: str, words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        load_weights("x" * 300 + suffix)


def test_a_network_of_one_size_cannot_see_the_mirror_image_at_another(tmp_path: Path) -> None:
    network = build_network({"name": "ConvNet", "image_size": 16}, 1, 3)
    path = tmp_path / "fixed.safetensors"
    Colorizer(Model(RGBTarget(), network), {"image_size": 16, "tta_scale": 0.5}, device="cpu").save(path)
    with pytest.raises(ColorizeError, match=r"fixed\.safetensors has the tta_scale 0\.5, .* pictures of 16 pixels"):
        load_weights(path)


def test_what_is_exported_does_not_say_where_the_pictures_lie(tmp_path: Path) -> None:
    network = build_network({"name": "UNet", "width": 4, "depth": 1}, 1, 3)
    places = {
        "root": "/home/me",
        "cache_dir": "/home/me",
        "colored": "/home/me/new",
        "gray": "/home/me/old",
        "storage_options": {"endpoint_url": "http://store.mine"},
    }
    checkpoint = {
        "task": "RGBTask",
        "hyper_parameters": {},
        "target": RGBTarget().describe(),
        "network": network.spec,
        "state_dict": {f"network.{name}": tensor for name, tensor in network.state_dict().items()},
        "config": {"data": {"image_size": 16, "batch_size": 4, **places}},
    }
    torch.save(checkpoint, tmp_path / "best.ckpt")
    assert load_weights(tmp_path / "best.ckpt")[1]["data"] == {"image_size": 16, "batch_size": 4}
