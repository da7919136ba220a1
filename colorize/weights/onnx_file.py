"""A network in an ONNX file, run by onnxruntime: read as data, and refused where it is more than a network."""

import hashlib
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize.color import luminance, rgb_to_gray
from colorize.errors import ColorizeError, MissingExtraError, first_line
from colorize.files import is_file
from colorize.networks import Network
from colorize.targets import LabTarget
from colorize.weights.model import Model

FORMAT = 1
PREFIX = "colorize."  # of our keys among an ONNX file's metadata
OUTPUT = "ab"
_CHANNELS = {"gray": 1, "rgb": 3}  # of each input that there may be
_LARGEST = 2**31  # bytes, of a protobuf
_STANDARD = ("", "ai.onnx")
_FLOAT = 1  # onnx.TensorProto.FLOAT
_EXTERNAL = 1  # onnx.TensorProto.EXTERNAL
_GRAPHS = (5, 10)  # onnx.AttributeProto.GRAPH, GRAPHS


@dataclass(frozen=True)
class _OnnxTarget(LabTarget):
    """Such a file is shown the picture itself, and predicts ab in Lab units."""

    def see(self, rgb: Tensor) -> Tensor:
        return rgb_to_gray(rgb) if self.luminance == "gray" else rgb

    def predict(self, network: Network, x: Tensor) -> Tensor:
        return network(x)  # type: ignore[no-any-return]

    def to_ab(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction

    def to_lab(self, x: Tensor, prediction: Tensor) -> Tensor:
        return torch.cat([luminance(x), prediction], dim=1)


class _OnnxNetwork(Network):
    """A session of onnxruntime on the CPU; it pads and crops by itself.

    Its one tensor is the digest of the file, by which `fingerprint` tells it from others.

    Shape: (B, 1 or 3, H, W) in [0, 1] -> ab (B, 2, H, W).
    """

    def __init__(self, path: Path, content: bytes, session: Any, image_size: int | None) -> None:
        super().__init__()
        self.path, self.session, self.image_size = path, session, image_size
        digest = bytearray(hashlib.blake2b(content, digest_size=8).digest())
        self.register_buffer("digest", torch.frombuffer(digest, dtype=torch.uint8))

    def __deepcopy__(self, _: dict[int, Any]) -> "_OnnxNetwork":
        return self  # a session has nothing to copy, and cannot be

    def forward(self, x: Tensor) -> Tensor:
        """Raises: ColorizeError: the file fails on the picture, or gives something else than its colours."""
        picture = x.float().cpu().numpy()
        try:
            (ab,) = self.session.run([OUTPUT], {self.session.get_inputs()[0].name: picture})
        except Exception as error:  # onnxruntime's own have no common class
            raise ColorizeError(f"{self.path} fails on a picture of {_size(picture.shape)}: {_line(error)}.") from error
        if ab.shape != (len(picture), 2, *picture.shape[2:]):
            raise ColorizeError(f"{self.path} says {ab.shape} of a picture of {_size(picture.shape)}, not its colours.")
        return torch.from_numpy(ab).to(x.device)


def is_onnx(network: Network) -> bool:
    """Whether a network is that of an ONNX file: without weights of torch, in a precision of its own."""
    return isinstance(network, _OnnxNetwork)


def read_onnx(path: Path) -> tuple[Model, dict[str, Any]]:
    """The network of a file that `python -m colorize.export` wrote, and what its metadata say.

    Returns:
        The model, and facts: `image_size`, and what there is of `tta_scale`, `data`, `epochs`, `metrics` and `hub`. Its
        gains are in its graph.

    Raises:
        ColorizeError: no such file, another one, or as `parse_onnx`.
        MissingExtraError: the extra `onnx` is not installed.
    """
    if not is_file(path):
        raise ColorizeError(f"There is no ONNX file at {path}.")
    if path.stat().st_size > _LARGEST:
        raise ColorizeError(f"{path} cannot be read as an ONNX file: none is larger than 2 GiB.")
    try:
        return parse_onnx(path, path.read_bytes())
    except OSError as error:
        raise ColorizeError(f"{path} cannot be read: {first_line(error)}.") from error


def parse_onnx(path: Path, content: bytes) -> tuple[Model, dict[str, Any]]:
    """The same of a file's content; `path` is named where it is refused.

    Raises:
        ColorizeError: external data, operators other than ONNX's own, control flow, or an input or output of another
            shape.
        MissingExtraError: the extra `onnx` is not installed.
    """
    onnx, onnxruntime = _import("onnx", path), _import("onnxruntime", path)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # protobuf's, whose package is onnx's own business
        raise ColorizeError(f"{path} cannot be read as an ONNX file: {_line(error)}.") from error
    _check_plain(path, model)
    sees, image_size = _input(path, model)
    facts = _facts(path, model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what is wrong is raised
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise ColorizeError(f"{path} cannot be run by onnxruntime: {_line(error)}.") from error
    target = _OnnxTarget(luminance="gray" if sees == "gray" else "lab")
    return Model(target, _OnnxNetwork(path, content, session, image_size)), facts


def _check_plain(path: Path, model: Any) -> None:
    """Raise a ColorizeError for what could run or read anything else than the graph and its weights."""
    domains = {entry.domain for entry in model.opset_import} | {node.domain for node in model.graph.node}
    strange = sorted(domains - set(_STANDARD))
    if strange or model.functions:
        raise ColorizeError(f"{path} is refused: it has operators that are not ONNX's own ({', '.join(strange)}).")
    if any(attribute.type in _GRAPHS for node in model.graph.node for attribute in node.attribute):
        raise ColorizeError(f"{path} is refused: it has control flow, which no network of ours has.")
    if any(tensor.data_location == _EXTERNAL or tensor.external_data for tensor in _tensors(model)):
        raise ColorizeError(f"{path} is refused: it reads its weights from other files.")


def _input(path: Path, model: Any) -> tuple[str, int | None]:
    """The name of the input, and the side of the pictures where it is fixed.

    Raises:
        ColorizeError: not one input, a picture, and one output, its ab.
    """
    inputs, outputs = ({value.name: value for value in values} for values in (model.graph.input, model.graph.output))
    sees = next((name for name in _CHANNELS if inputs.keys() == {name}), None)
    if sees is None or outputs.keys() != {OUTPUT}:
        names = f"{', '.join(inputs)} -> {', '.join(outputs)}"
        raise ColorizeError(f"{path} is not a colorizer of this project: it maps {names}, not gray or rgb to {OUTPUT}.")
    for value, channels in ((inputs[sees], _CHANNELS[sees]), (outputs[OUTPUT], 2)):
        kind = value.type.tensor_type
        dims = [dim.dim_value for dim in kind.shape.dim]  # 0 where it is free
        square = len(dims) == 4 and dims[2] == dims[3] >= 0
        if kind.elem_type != _FLOAT or not square or dims[:2] != [0, channels]:
            raise ColorizeError(f"{path} is refused: {value.name} is not float32 (batch, {channels}, height, width).")
    return sees, inputs[sees].type.tensor_type.shape.dim[2].dim_value or None


def _tensors(model: Any) -> Iterator[Any]:
    """All that hold values, except in graphs within the graph."""
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in model.graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _facts(path: Path, model: Any) -> dict[str, Any]:
    texts = {entry.key: entry.value for entry in model.metadata_props}
    wanted = ("format", "image_size", "tta_scale", "data", "epochs", "metrics", "hub")
    try:
        facts = {key: json.loads(texts[PREFIX + key]) for key in wanted if PREFIX + key in texts}
    except (ValueError, RecursionError) as error:
        raise ColorizeError(f"{path} has metadata that cannot be read: {first_line(error)}.") from error
    stated = facts.pop("format", None)
    if stated is None:
        raise ColorizeError(f"{path} is not a colorizer of this project: its metadata do not describe one.")
    if stated != FORMAT:
        raise ColorizeError(f"{path} has format {stated!r}, but this version reads {FORMAT}: update colorize.")
    return facts


def _import(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"{path} needs the package {name}: pip install 'colorize[onnx]'.") from error


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[-1]}x{shape[-2]} pixels"


def _line(error: Exception) -> str:
    return first_line(error).rstrip(".")
