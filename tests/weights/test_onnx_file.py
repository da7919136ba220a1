"""ONNX files of strangers are data: what is not a plain graph from a picture to ab is refused in one sentence."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper

from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.weights.model import fingerprint
from colorize.weights.onnx_file import read_onnx

Change = Callable[[ModelProto], object]


def model(**facts: Any) -> ModelProto:
    """ab = 20 gray, 20 gray."""
    shape = ["batch", 1, "height", "width"]
    gray = helper.make_tensor_value_info("gray", TensorProto.FLOAT, shape)
    ab = helper.make_tensor_value_info("ab", TensorProto.FLOAT, [shape[0], 2, *shape[2:]])
    nodes = [
        helper.make_node("Mul", ["gray", "gain"], ["a"], name="mul"),
        helper.make_node("Concat", ["a", "a"], ["ab"], name="join", axis=1),
    ]
    gain = numpy_helper.from_array(np.array([20], np.float32), "gain")
    graph = helper.make_graph(nodes, "colors", [gray], [ab], [gain])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    for key, value in {"format": 1, "image_size": 32, **facts}.items():
        made.metadata_props.add(key=f"colorize.{key}", value=json.dumps(value))
    return made


def write(path: Path, made: ModelProto) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def test_such_a_file_gives_colour(tmp_path: Path) -> None:
    colorizer = Colorizer.load(write(tmp_path / "model.onnx", model(epochs=3)), device="cpu")
    assert colorizer.facts == {"image_size": 32, "epochs": 3}
    ab = colorizer.predict_ab(torch.full((2, 3, 5, 7), 0.5))
    torch.testing.assert_close(ab, torch.full((2, 2, 5, 7), 10.0))
    picture = colorizer.render(np.full((40, 50), 128, np.uint8))
    assert picture[..., 0].min() > picture[..., 2].max()  # orange


def test_metadata_of_others_say_nothing(tmp_path: Path) -> None:
    foreign = model()
    del foreign.metadata_props[:]
    foreign.metadata_props.add(key="format", value="an optimizer's")
    with pytest.raises(ColorizeError, match="its metadata do not describe one"):
        read_onnx(write(tmp_path / "foreign.onnx", foreign))


def test_two_files_are_told_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path / "one.onnx", model()), write(tmp_path / "same.onnx", model())]
    other = model()
    other.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.array([30], np.float32), "gain"))
    prints = [fingerprint(read_onnx(path)[0].network) for path in [*paths, write(tmp_path / "other.onnx", other)]]
    assert prints[0] == prints[1] != prints[2]


def external(made: ModelProto) -> None:
    gain = made.graph.initializer[0]
    gain.ClearField("raw_data")
    gain.data_location = TensorProto.EXTERNAL
    gain.external_data.add(key="location", value="../secret")


def external_constant(made: ModelProto) -> None:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    made.graph.node.insert(0, helper.make_node("Constant", [], ["other"], value=tensor))


def control_flow(made: ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    made.graph.node.append(helper.make_node("If", ["gray"], ["never"], then_branch=body, else_branch=body))


def custom(made: ModelProto) -> None:
    made.graph.node[0].domain = "com.stranger"
    made.opset_import.add(domain="com.stranger", version=1)


def function(made: ModelProto) -> None:
    made.functions.add(name="Mul", domain="")


def rename(made: ModelProto) -> None:
    made.graph.input[0].name = made.graph.node[0].input[0] = "pixels"


def channels(made: ModelProto) -> None:
    made.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 3


def integers(made: ModelProto) -> None:
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64


def no_metadata(made: ModelProto) -> None:
    del made.metadata_props[:]


def unknown_operator(made: ModelProto) -> None:
    made.graph.node[0].op_type = "Colorize"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (external, "it reads its weights from other files"),
        (external_constant, "it reads its weights from other files"),
        (control_flow, "it has control flow"),
        (custom, r"operators that are not ONNX's own \(com\.stranger\)"),
        (function, "operators that are not ONNX's own"),
        (rename, "it maps pixels -> ab, not gray or rgb to ab"),
        (channels, r"ab is not float32 \(batch, 2, height, width\)"),
        (integers, "gray is not float32"),
        (no_metadata, "its metadata do not describe one"),
        (unknown_operator, "cannot be run by onnxruntime"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_strangers_graph_is_checked(change: Change, words: str, tmp_path: Path) -> None:
    made = model()
    change(made)
    with pytest.raises(ColorizeError, match=words) as caught:
        Colorizer.load(write(tmp_path / "model.onnx", made), device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"image_size": 10**9}, "does not say the image size"),
        ({"image_size": "64; rm"}, "does not say the image size"),
        ({"chroma_gain": "2; rm", "cast_gain": "2; rm"}, None),
        ({"format": 2}, "has format 2, but this version reads 1"),
    ],
)
def test_a_strangers_facts_are_checked(facts: dict[str, Any], words: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "model.onnx", model(**facts))
    if words is None:  # the gains are in the graph
        loaded = Colorizer.load(path, device="cpu")
        assert (loaded.chroma_gain, loaded.cast_gain) == (1, 1)
        return
    with pytest.raises(ColorizeError, match=words):
        Colorizer.load(path, device="cpu")


def test_metadata_that_are_no_json_are_refused(tmp_path: Path) -> None:
    for text in ("{", "[" * 100_000):
        made = model()
        made.metadata_props.add(key="colorize.data", value=text)
        with pytest.raises(ColorizeError, match="has metadata that cannot be read"):
            Colorizer.load(write(tmp_path / "model.onnx", made), device="cpu")


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    for content in (b"", b"hello", model().SerializeToString()[:60], os.urandom(200), b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(ColorizeError) as caught:
            Colorizer.load(path, device="cpu")
        assert "\n" not in str(caught.value)
    with pytest.raises(ColorizeError, match="There is no ONNX file"):
        Colorizer.load(tmp_path / "none.onnx", device="cpu")


def test_a_graph_that_fails_or_says_another_size_is_one_sentence(tmp_path: Path) -> None:
    made = model()
    made.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.int64), "shape"))
    made.graph.node.insert(0, helper.make_node("Reshape", ["gray", "shape"], ["seen"]))
    made.graph.node[1].input[0] = "seen"
    colorizer = Colorizer.load(write(tmp_path / "model.onnx", made), device="cpu")
    with pytest.raises(ColorizeError, match=r"model\.onnx fails on a picture of 5x3 pixels"):
        colorizer.predict_ab(torch.zeros(1, 3, 3, 5))
    with pytest.raises(ColorizeError, match=r"says \(1, 2, 2, 2\) of a picture of 4x1 pixels, not its colours"):
        colorizer.predict_ab(torch.zeros(1, 3, 1, 4))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_extra_it_is_named(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "model.onnx", model())
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ColorizeError, match=rf"needs the package {package}: pip install 'colorize\[onnx\]'"):
        Colorizer.load(path, device="cpu")


def test_a_fixed_size_is_kept(tmp_path: Path) -> None:
    made = model()
    for value in (*made.graph.input, *made.graph.output):
        for dim in value.type.tensor_type.shape.dim[2:]:
            dim.dim_value = 16
    colorizer = Colorizer.load(write(tmp_path / "model.onnx", made), device="cpu")
    assert onnx.load(tmp_path / "model.onnx").graph.input[0].name == "gray"
    assert colorizer.network.image_size == 16
    assert colorizer.render(np.full((40, 50), 128, np.uint8)).shape == (40, 50, 3)
