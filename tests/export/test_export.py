"""A network as an ONNX file: the same colours as torch's, at any size, and a file that says what it is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from colorize.color import AB_SCALE
from colorize.errors import ColorizeError
from colorize.export import check as check_module
from colorize.export.__main__ import main
from colorize.export.graph import OPSET, make_onnx
from colorize.export.write import export
from colorize.inference.colorizer import Colorizer
from colorize.networks import Network, build_network
from colorize.scenery import render_scenes
from colorize.targets import build_target
from colorize.weights.model import Model
from tests.weights.test_onnx_file import model, write

REPO = Path(__file__).resolve().parents[2]
UNET = {"name": "UNet", "width": 4, "depth": 2}
METRICS = {"test/mse": 0.005, "floor/mse": 0.0077}
FACTS = {
    "image_size": 32,
    "chroma_gain": 1.5,
    "cast_gain": 0.5,
    "data": {"name": "own"},
    "epochs": 3,
    "metrics": METRICS,
}


def small(target: dict[str, Any] | None = None, network: dict[str, Any] = UNET, scale: float = 2) -> Colorizer:
    torch.manual_seed(0)
    built = build_target(target or {"name": "LabTarget"})
    trained = build_network(network, built.in_channels, built.out_channels)
    for parameter in trained.parameters():  # colours that differ from place to place
        parameter.data.mul_(scale)
    return Colorizer(Model(built, trained), FACTS, device="cpu", precision="32")


def saved(folder: Path, colorizer: Colorizer | None = None) -> str:
    (colorizer or small()).save(folder / "small.safetensors", torch.float32)
    return str(folder / "small.safetensors")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    main([str(folder / "small.onnx"), f"checkpoint={saved(folder)}", "license=cc0-1.0"])
    return folder / "small.onnx"


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (37, 71), (64, 33)])
def test_its_colours_are_torchs(exported: Path, size: tuple[int, int]) -> None:
    ours, theirs = small(), Colorizer.load(exported, device="cpu")
    rgb = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = ours.predict_ab(rgb)
    assert expected.abs().max() > 5
    torch.testing.assert_close(theirs.predict_ab(rgb), expected, atol=1e-4 * AB_SCALE, rtol=0)


def test_its_picture_is_torchs(exported: Path, tmp_path: Path) -> None:
    scene = render_scenes([4], 90)[0][:61]
    ours, theirs = small(), Colorizer.load(exported, device="cpu")
    assert not theirs.needs_color
    assert np.abs(theirs.render(scene).astype(int) - ours.render(scene)).max() <= 1
    with pytest.raises(ColorizeError, match="cannot be had from these weights"):
        theirs.colorize(scene, temperature=0.5)
    with pytest.raises(ColorizeError, match="an ONNX file's network has no weights of torch"):
        theirs.save(tmp_path / "again.safetensors")
    with pytest.raises(ColorizeError, match="precision=bf16 is not possible"):
        Colorizer.load(exported, device="cpu", precision="bf16")


def test_it_says_what_it_is(exported: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    facts = {entry.key.removeprefix("colorize."): entry.value for entry in model.metadata_props}
    assert (facts["name"], facts["license"], facts["precision"]) == ("small", "cc0-1.0", "float32")
    assert (facts["image_size"], facts["chroma_gain"], facts["cast_gain"]) == ("32", "1.5", "0.5")
    assert facts["opset"] == "18"
    assert json.loads(facts["metrics"]) == METRICS
    assert json.loads(facts["data"]) == {"name": "own"}
    axes = [[dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
            for value in (*model.graph.input, *model.graph.output)]  # fmt: skip
    assert axes == [["batch", channels, "height", "width"] for channels in (1, 2)]
    for folder in (REPO, Path(sys.prefix), Path.home()):
        assert str(folder).encode() not in exported.read_bytes()
    known = {key: value for key, value in FACTS.items() if not key.endswith("_gain")}  # which are in the graph
    assert Colorizer.load(exported, device="cpu").facts == known


@pytest.mark.parametrize(
    ("target", "network"),
    [
        ({"name": "LabHybridTarget"}, UNET | {"unshuffle": 4}),
        ({"name": "LabBinsTarget", "grid": 40}, UNET | {"unshuffle": 1}),
        ({"name": "LabTarget", "luminance": "lab"}, {"name": "ConvAutoencoder", "width": 4, "depth": 1}),
        ({"name": "RGBTarget"}, {"name": "ConvNet", "image_size": 16, "hidden": 8}),
    ],
    ids=lambda value: value["name"],
)
def test_other_networks_and_targets(target: dict[str, Any], network: dict[str, Any], tmp_path: Path) -> None:
    """Exporting compares them at several sizes."""
    colorizer = small(target, network)
    assert export(tmp_path / "other.onnx", saved(tmp_path, colorizer)) < 1e-4
    loaded = Colorizer.load(tmp_path / "other.onnx", device="cpu")
    assert loaded.needs_color == colorizer.needs_color
    scene = render_scenes([4], 60)[0][:41]
    assert np.abs(loaded.render(scene).astype(int) - colorizer.render(scene)).max() <= 1


def test_float16_and_int8_are_smaller_and_near(tmp_path: Path) -> None:
    for number, scene in enumerate(render_scenes(range(3), 48)):
        Image.fromarray(scene).save(tmp_path / f"{number}.png")
    source = saved(tmp_path, small(network=UNET | {"width": 16}, scale=1))
    sizes = {}
    for name, options in {"32": {}, "16": {"precision": "float16"}, "8": {"calibration": tmp_path}}.items():
        path = tmp_path / f"{name}.onnx"
        export(path, source, **options)  # type: ignore[arg-type]
        sizes[name] = path.stat().st_size
        precision = next(one.value for one in onnx.load(path).metadata_props if one.key == "colorize.precision")
        assert precision == {"32": "float32", "16": "float16", "8": "int8"}[name]
    assert sizes["16"] < 0.7 * sizes["32"]
    assert sizes["8"] < 0.6 * sizes["32"]


def test_a_file_that_fails_its_check_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "MOST", {"float32": 1e-12})
    source = saved(tmp_path)
    (tmp_path / "old.onnx").write_bytes(b"an older file")
    with pytest.raises(ColorizeError, match=r"float32 ONNX file fails its check: the largest difference .* 1e-12"):
        export(tmp_path / "old.onnx", source)
    assert (tmp_path / "old.onnx").read_bytes() == b"an older file"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.onnx", "small.safetensors"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.onnx", "b.onnx"], "One file is to be written, but 2 are named"),
        (["model.pt"], "must end in .onnx"),
        (["a.onnx", "checkpoints=x"], "did you mean checkpoint?"),
        (["a.onnx", "precision=bf16"], "give float32 or float16"),
        (["a.onnx", "quantize=int4"], "give int8"),
        (["a.onnx", "quantize=int8"], "quantize=int8 and calibration=FOLDER go together"),
        (["a.onnx", "quantize=int8", "calibration=F", "precision=float16"], "does not go with quantize=int8"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(message)) as caught:
        main(words)
    assert str(caught.value).startswith("error: ")
    assert "\n" not in str(caught.value)


def test_what_takes_colour_away_is_refused() -> None:
    colorizer = small({"name": "GrayscaleTarget"})
    with pytest.raises(ColorizeError, match="take colour away"):
        make_onnx(colorizer, {})


class Undecided(Network):
    """A network that no exporter can follow."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("undecided")


def test_a_network_that_cannot_be_exported_is_told_with_the_reason() -> None:
    with pytest.raises(ColorizeError, match="cannot be exported to ONNX: undecided"):
        make_onnx(small(network={"name": "Undecided"}), {})


def test_its_name_may_hold_an_equals_sign(tmp_path: Path) -> None:
    main([str(tmp_path / "lr=0.1.onnx"), f"checkpoint={saved(tmp_path)}"])
    assert (tmp_path / "lr=0.1.onnx").is_file()


@pytest.mark.slow
def test_predict_takes_such_a_file(exported: Path, tmp_path: Path) -> None:
    scene = Image.fromarray(render_scenes([4], 80)[0][:61]).convert("L")
    scene.save(tmp_path / "photo.png")
    words = [f"checkpoint={exported}", f"input={tmp_path / 'photo.png'}", "trainer.accelerator=cpu"]
    done = run("predict.py", *words, f"output={tmp_path / 'out.png'}")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out.png") as picture:
        assert np.array_equal(np.asarray(picture), Colorizer.load(exported, device="cpu").render(np.asarray(scene)))


def run(*words: str, folder: Path = REPO) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def example() -> str:
    """The README's program."""
    text = (REPO / "README.md").read_text(encoding="utf-8")
    (found,) = [block for block in re.findall(r"```python\n(.*?)```", text, flags=re.S) if "onnxruntime" in block]
    return str(found)


@pytest.mark.slow
def test_the_readmes_example_needs_three_packages_and_colours_as_we_do(tmp_path: Path) -> None:
    lines = [line for line in example().splitlines() if line.strip()]
    assert len(lines) <= 15
    imported = {word for line in lines for word in re.findall(r"^(?:import|from) (\w+)", line)}
    assert imported == {"numpy", "onnxruntime", "PIL"}
    scene = Image.fromarray(render_scenes([4], 128)[0][:101])
    scene.convert("L").save(tmp_path / "photo.jpg", quality=95)
    exported = write(tmp_path / "model.onnx", model())
    (tmp_path / "example.py").write_text(example())
    done = run("example.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "photo.jpg") as photograph:
        ours = Colorizer.load(exported, device="cpu").colorize(photograph, tta=False)
        gray = np.asarray(photograph, np.float64)
    with Image.open(tmp_path / "photo_colorized.jpg") as image:
        picture = np.asarray(image, np.float64)
    assert picture.shape == (101, 128, 3)
    assert np.abs(picture - np.asarray(ours)).mean() < 6
    assert np.abs(picture @ (0.299, 0.587, 0.114) - gray).mean() < 4
    assert np.ptp(picture, axis=2).mean() > 8
