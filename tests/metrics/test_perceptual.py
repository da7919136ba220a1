"""LPIPS and FID from files of random weights, with no network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor
from torchmetrics.image import LearnedPerceptualImagePatchSimilarity

from colorize.errors import ColorizeError
from colorize.metrics.perceptual import FID, LPIPS

METRICS: list[tuple[type[LPIPS | FID], str]] = [
    (LPIPS, "callbacks.perceptual.lpips="),
    (FID, "callbacks.perceptual.fid="),
]


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **more: Any) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)


def pictures(seed: int, count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def alexnet(folder: Path) -> Path:
    torch.manual_seed(0)
    state = torchvision.models.alexnet(weights=None).state_dict()
    path = folder / "alexnet.pth"
    torch.save({name: tensor for name, tensor in state.items() if name.startswith("features.")}, path)
    return path


@pytest.mark.slow
def test_lpips_is_that_of_torchmetrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = alexnet(tmp_path)
    truth, prediction = pictures(0, 5), pictures(1, 5)
    metric = LPIPS(path)
    for part in (slice(4), slice(4, 5)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            metric.update(prediction[part], truth[part])
    layers = torchvision.models.alexnet(weights=None).features
    layers.load_state_dict({name.removeprefix("features."): tensor for name, tensor in torch.load(path).items()})
    monkeypatch.setattr("torchmetrics.functional.image.lpips._get_tv_model_features", lambda *_: layers)
    expected = LearnedPerceptualImagePatchSimilarity("alex", normalize=True)(prediction, truth)
    assert metric.compute().item() == pytest.approx(expected.item(), rel=1e-5)
    assert expected > 0
    assert LPIPS(path)(truth, truth) == 0


@pytest.mark.slow
def test_lpips_refuses_pictures_that_leave_nothing_of_themselves(tmp_path: Path) -> None:
    metric = LPIPS(alexnet(tmp_path))
    assert metric(pictures(0, 1, 31), pictures(1, 1, 31)).isfinite()
    with pytest.raises(ColorizeError, match=r"lpips needs pictures of at least 31 x 31 pixels"):
        metric.update(pictures(0, 1, 30), pictures(1, 1, 30))


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights for torch-fidelity's Inception."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        state = FeatureExtractorInceptionV3("random", ["2048"], str(path)).state_dict()
    torch.save(state, path)
    return path


@pytest.mark.slow
def test_fid_gathers_the_features_of_both_sides(inception: Path) -> None:
    metric = FID(inception)
    truth, prediction = pictures(0, 3), pictures(1, 3) * 0.5
    for part in (slice(2), slice(2, 3)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            metric.update(prediction[part], truth[part])
    for side, rgb in (("fake", prediction), ("real", truth)):
        features = metric.inception((rgb * 255).round().byte()).double()
        expected = (features.sum(dim=0), features.T @ features)
        got = (getattr(metric, f"{side}_features_sum"), getattr(metric, f"{side}_features_cov_sum"))
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)
        assert getattr(metric, f"{side}_features_num_samples") == 3


@pytest.mark.slow
def test_fid_of_one_picture_is_refused(inception: Path) -> None:
    metric = FID(inception)
    metric.update(pictures(0, 1), pictures(1, 1))
    with pytest.raises(ColorizeError, match="at least two test pictures"):
        metric.compute()


@pytest.mark.slow
def test_fid_refuses_other_weights(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ColorizeError, match=r"does not hold torch-fidelity's Inception v3: give its file"):
        FID(tmp_path / "other.pth")


def test_fid_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({}, tmp_path / "weights.pth")
    monkeypatch.setattr("torchmetrics.image.fid._TORCH_FIDELITY_AVAILABLE", False)
    with pytest.raises(ColorizeError, match=r"fid needs torch-fidelity: pip install 'colorize\[fid\]'"):
        FID(tmp_path / "weights.pth")


def test_lpips_refuses_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(ColorizeError, match=r"other.pth does not hold torchvision's AlexNet"):
        LPIPS(path)
    names = [f"features.{layer}.{part}" for layer in (0, 3, 6, 8, 10) for part in ("weight", "bias")]
    torch.save({name: torch.zeros(1) for name in names}, path)
    with pytest.raises(ColorizeError, match=r"other.pth does not hold torchvision's AlexNet"):
        LPIPS(path)


class Code:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return print, ("code has run",)


@pytest.mark.parametrize(("metric", "key"), METRICS)
def test_a_file_is_data(
    metric: type[LPIPS | FID], key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(ColorizeError, match=rf"{key}\S+ is not a file: .* never downloaded"):
        metric(path)
    torch.save({"weight": torch.zeros(1)}, path, _use_new_zipfile_serialization=False)
    cut = path.read_bytes()[:18]
    for content in (b"no weights", b"", b"PK\x03\x04", cut):
        path.write_bytes(content)
        with pytest.raises(ColorizeError, match=rf"{key}\S+ cannot be read"):
            metric(path)
    torch.save({"code": Code()}, path)
    with pytest.raises(ColorizeError, match=rf"{key}\S+ cannot be read") as caught:
        metric(path)
    assert "\n" not in str(caught.value)
    assert "code has run" not in capsys.readouterr().out
    torch.save([torch.zeros(1)], path)
    with pytest.raises(ColorizeError, match=rf"{key}\S+ is no file of weights"):
        metric(path)
