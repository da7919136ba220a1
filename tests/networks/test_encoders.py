"""Encoders of timm: those that suit are built without weights, others and strangers' names are refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from colorize.errors import ColorizeError, MissingExtraError
from colorize.networks import EncoderUNet, build_network
from colorize.networks.encoders import TimmEncoder, build_encoder
from colorize.tasks import LabTask
from colorize.weights.exported import read_exported, write_exported
from colorize.weights.model import Model, shapes

SMALL = {"name": "EncoderUNet", "decoder_channels": [8, 8, 4, 4]}
SUITABLE = ["resnet18", "mobilenetv3_small_050", "test_convnext"]  # the last begins at 1/4


@pytest.mark.parametrize("name", SUITABLE)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_gradient(name: str, channels: int) -> None:
    network = build_network({**SMALL, "encoder": name}, channels, 2)
    out = network.forward_any_size(torch.rand(2, channels, 40, 70) * 2 - 1)
    assert out.shape == (2, 2, 40, 70)
    out.square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_features_are_those_of_timm_for_its_normalisation() -> None:
    encoder = build_encoder("resnet18").eval()
    assert isinstance(encoder, TimmEncoder)
    reference = timm.create_model("resnet18", features_only=True).eval()
    reference.load_state_dict(encoder.body.state_dict())
    picture = torch.rand(2, 3, 64, 96)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = reference((picture - mean.view(3, 1, 1)) / std.view(3, 1, 1))
        for mine, theirs in zip(encoder(picture * 2 - 1), expected, strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)
    assert encoder.channels == reference.feature_info.channels()


def test_a_resolution_that_an_encoder_lacks_has_no_channels() -> None:
    encoder = build_encoder("test_convnext").eval()
    assert encoder.channels[0] == 0
    with torch.autocast("cpu", torch.bfloat16):
        features = encoder(torch.rand(1, 3, 64, 32))
    assert [tuple(feature.shape) for feature in features] == [
        (1, channels, 64 // reduction, 32 // reduction)
        for channels, reduction in zip(encoder.channels, (2, 4, 8, 16, 32), strict=True)
    ]
    assert features[0].dtype == features[-1].dtype


@pytest.mark.parametrize("name", SUITABLE)
def test_nothing_is_allocated_on_the_meta_device(name: str) -> None:
    with torch.device("meta"):
        empty = build_network({**SMALL, "encoder": name}, 1, 2)
    assert all(tensor.is_meta for tensor in empty.state_dict().values())
    assert shapes(empty) == shapes(build_network({**SMALL, "encoder": name}, 1, 2))


@pytest.mark.parametrize("name", SUITABLE)
def test_an_exported_file_brings_it_back_without_pretrained_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = LabTask({**SMALL, "encoder": name}, {"name": "mse"}, {"name": "Adam"})
    write_exported(tmp_path / "own.safetensors", Model(task.target, task.network), {}, torch.float32)
    create = timm.create_model

    def recorded(name: str, *, pretrained: bool, **kwargs: Any) -> Any:
        assert not pretrained
        return create(name, **kwargs)

    monkeypatch.setattr(timm, "create_model", recorded)
    network = read_exported(tmp_path / "own.safetensors")[0].network
    x = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), task.network.eval()(x))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet81", "must be one of .* did you mean resnet[0-9]+"),
        ("efficientnet_lit0", "did you mean efficientnet_lite0"),
        ("resnet18.a1_in1k", "did you mean resnet18"),
        ("hf-hub:stranger/model", "but must be one of"),
        ("hf_hub:stranger/model", "but must be one of"),
        ("local-dir:/tmp", "but must be one of"),
        ("timm/resnet18", "but must be one of"),
        ("ResNet18", "but must be one of"),
        (" resnet18", "but must be one of"),
        (["resnet18"], "but must be one of"),
        (None, "but must be one of"),
        ("vit_tiny_patch16_224", "does not give features of pictures of any size"),  # of a fixed size
        ("swin_tiny_patch4_window7_224", "does not give features of pictures of any size"),
        ("efficientvit_m0", "does not give features of pictures of any size"),  # 1/16, 1/32, 1/64
        ("naflexvit_base_patch16_gap", "does not give features of pictures of any size"),  # 1/16 only
        ("legacy_xception", "does not give features of pictures of any size"),  # one pixel short
    ],
)
def test_a_name_that_cannot_be_is_refused(name: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model

    def listed(model_name: str, **kwargs: Any) -> Any:
        assert model_name in timm.list_models()
        assert kwargs["pretrained"] is False
        return create(model_name, **kwargs)

    monkeypatch.setattr(timm, "create_model", listed)
    with pytest.raises(ColorizeError, match=words):
        build_network({**SMALL, "encoder": name}, 1, 2)


def test_without_timm_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = LabTask({**SMALL, "encoder": "resnet18"}, {"name": "mse"}, {"name": "Adam"})
    write_exported(tmp_path / "own.safetensors", Model(task.target, task.network), {})
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match=r"'resnet18', which is none of .*pip install 'colorize\[timm\]'"):
        build_network({**SMALL, "encoder": "resnet18"}, 1, 2)
    with pytest.raises(ColorizeError, match=r"own\.safetensors cannot be loaded: .*pip install 'colorize\[timm\]'"):
        read_exported(tmp_path / "own.safetensors")
    EncoderUNet(1, 2)


@pytest.mark.slow
def test_efficientnet_lite_needs_no_timm() -> None:
    program = """
import sys
sys.modules["timm"] = None
from colorize import Colorizer
assert type(Colorizer.load("photographs", device="cpu").network).__name__ == "EncoderUNet"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_factor_of_0_freezes_it() -> None:
    task = LabTask(
        {**SMALL, "encoder": "resnet18"}, {"name": "mse"}, {"name": "AdamW", "lr": 1e-2, "lr_factors": {"encoder": 0}}
    )
    before = {name: value.clone() for name, value in task.network.named_parameters()}
    optimizer = task.configure_optimizers()
    task.compare(torch.zeros(1), task(torch.rand(2, 1, 32, 32)), torch.ones(2, 2, 32, 32)).backward()
    optimizer.step()
    for name, value in task.network.named_parameters():
        assert value.requires_grad != name.startswith("encoder."), name
        assert torch.equal(value, before[name]) or not name.startswith("encoder."), name
