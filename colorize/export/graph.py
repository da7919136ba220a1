"""A network from a gray picture to the colours of CIE Lab as one ONNX graph."""

import copy
import importlib
import json
import logging
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from colorize.color import rgb_to_gray
from colorize.errors import ColorizeError, MissingExtraError, first_line
from colorize.inference.colors import apply_gains
from colorize.inference.renderer import Renderer
from colorize.networks import Network
from colorize.weights.onnx_file import FORMAT, OUTPUT, PREFIX

OPSET = 18
PRECISIONS = ("float32", "float16")
_SIZE = (70, 90)  # of the picture that the graph is traced with: a multiple of no network's


class Graph(nn.Module):
    """What is exported: all that a `Renderer`'s network does between a picture and its ab, padding and cropping too.

    Args:
        renderer: whose target, network and gains it is; in float32 on the CPU.
        precision: "float32", or "float16", in which the network's own layers compute and keep their weights.

    Shape: (B, 1, H, W), the Rec.601 gray in [0, 1], for a network that sees colour (B, 3, H, W), its RGB ->
    (B, 2, H, W), ab of CIE Lab, gains applied; any H and W unless the network is fixed in size.
    """

    def __init__(self, renderer: Renderer, precision: str = "float32") -> None:
        super().__init__()
        self.target = renderer.target
        self.network = renderer.network if precision == "float32" else _Half(renderer.network)
        self.gains = renderer.chroma_gain, renderer.cast_gain
        self.sees = "rgb" if renderer.needs_color else "gray"

    def forward(self, picture: Tensor) -> Tensor:
        x = self.target.see(picture.expand(-1, 3, -1, -1))
        prediction = self.target.predict(self.network, x).float()
        return apply_gains(self.target.to_ab(x, prediction), *self.gains)

    def input_of(self, rgb: Tensor) -> Tensor:
        """What the graph is shown of RGB (B, 3, H, W) in [0, 1]."""
        return rgb if self.sees == "rgb" else rgb_to_gray(rgb)


class _Half(Network):
    """A network of which a copy computes in float16, between float32 and float32."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.multiple, self.output_stride, self.image_size = network.multiple, network.output_stride, network.image_size
        self.inner = copy.deepcopy(network).half()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x.half())
        return out.float()


def make_onnx(renderer: Renderer, facts: Mapping[str, Any], precision: str = "float32") -> bytes:
    """The network of a renderer as an ONNX file, with metadata that say what it is.

    Args:
        renderer: in float32 on the CPU.
        facts: plain values for the metadata, e.g. `name`, `license`.
        precision: see `Graph`.

    Raises:
        ColorizeError: a network that takes colour away, or one that cannot be exported.
        MissingExtraError: the extra `onnx` is not installed.
    """
    if renderer.at_full_size:
        raise ColorizeError("These weights take colour away: an ONNX file is of weights that give colour.")
    for package in ("onnx", "onnxscript"):
        import_extra(package)
    graph = Graph(renderer, precision).eval()
    size = renderer.network.image_size
    picture = torch.rand(2, 3 if graph.sees == "rgb" else 1, *((size, size) if size else _SIZE))
    names = {0: "batch"} if size else {0: "batch", 2: "height", 3: "width"}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about itself
            program = torch.onnx.export(
                graph,
                (picture,),
                dynamo=True,
                input_names=[graph.sees],
                output_names=[OUTPUT],
                dynamic_shapes=(dict.fromkeys(names, torch.export.Dim.DYNAMIC),),
                opset_version=OPSET,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        raise ColorizeError(
            f"This network cannot be exported to ONNX: {first_line(error.__cause__ or error)}"
        ) from error
    assert program is not None
    model = program.model_proto
    _forget_source(model)
    for value, channels in ((model.graph.input[0], picture.shape[1]), (model.graph.output[0], 2)):
        _name_axes(value, names, channels)
    for key, text in metadata(renderer, graph.sees, {"precision": precision, **facts}).items():
        model.metadata_props.add(key=PREFIX + key, value=text)
    return bytes(model.SerializeToString())


def metadata(renderer: Renderer, sees: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """What the file says of itself: text, or JSON of what is no text."""
    words = {
        "gray": "gray: float32 (batch, 1, height, width) in [0, 1], .299 R + .587 G + .114 B of the sRGB picture",
        "rgb": "rgb: float32 (batch, 3, height, width) in [0, 1], the sRGB picture",
    }
    size = renderer.working_size
    known: dict[str, Any] = {
        key: renderer.facts[key] for key in ("tta_scale", "data", "epochs", "metrics", "hub") if key in renderer.facts
    }
    stated: dict[str, Any] = {
        "format": FORMAT,
        "version": version("colorize"),
        "input": words[sees],
        "output": "ab: float32 (batch, 2, height, width), a and b of CIE Lab (D65), chroma_gain and cast_gain applied",
        "use": f"show it the picture with its shorter side at {size} pixels, enlarge ab, keep the picture's own gray",
        "image_size": size,
        "chroma_gain": renderer.chroma_gain,
        "cast_gain": renderer.cast_gain,
        "opset": OPSET,
        "target": renderer.target.describe(),
        "network": dict(renderer.network.spec),
        **known,
        **facts,
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        for key, value in stated.items()
        if value is not None
    }


def import_extra(name: str) -> Any:
    """A package of the extra `onnx`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"ONNX files need the package {name}: pip install 'colorize[onnx]'.") from error


def _forget_source(model: Any) -> None:
    """Remove what the exporter notes of the Python source: it names folders of this machine."""
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    values = [*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer]
    for part in (model.graph, *nodes, *values):
        del part.metadata_props[:]
        part.doc_string = ""


def _name_axes(value: Any, names: Mapping[int, str], channels: int) -> None:
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        if axis in names:
            dim.dim_param = names[axis]
        elif axis == 1:
            dim.dim_value = channels
