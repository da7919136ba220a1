"""Static quantization: weights and activations of the convolutions in 8 bits, ranges from photographs."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from colorize.errors import ColorizeError, first_line
from colorize.export.graph import Graph, import_extra
from colorize.images import read_photograph
from colorize.inference.renderer import Renderer

CALIBRATION = 64
"""The most photographs that the ranges are taken from."""

LAST_KEPT = 3
"""How many of the last convolutions stay in float32, as the first does: with all in int8, the colours of `photographs`
were 5.8 Lab units from torch's on average, so 0.5."""


def quantize(content: bytes, renderer: Renderer, graph: Graph, photographs: Sequence[Path]) -> bytes:
    """An ONNX file in float32 with most of its convolutions in int8 (weights by channel, activations by tensor, QDQ).

    Args:
        content: the file.
        renderer, graph: what it was made of: they say what the network is shown of a photograph.
        photographs: files, of which at most `CALIBRATION` are looked at, evenly spread.

    Raises:
        ColorizeError: a photograph that cannot be read, or a network that cannot be quantized.
    """
    onnx, quantization = import_extra("onnx"), import_extra("onnxruntime.quantization")
    shown = _show(renderer, graph, photographs)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined]
        def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
            picture = next(shown, None)
            return None if picture is None else {graph.sees: picture}

    model = onnx.ModelProto.FromString(content)
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    kept = [*convolutions[:1], *convolutions[-LAST_KEPT:]]
    logging.getLogger().addFilter(_quiet)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    with tempfile.TemporaryDirectory() as temporary:
        written = Path(temporary) / "int8.onnx"
        try:
            quantization.quantize_static(
                model, written, Reader(), op_types_to_quantize=["Conv"], nodes_to_exclude=kept, per_channel=True,
                activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            )  # fmt: skip
        except (RuntimeError, ValueError) as error:
            raise ColorizeError(f"This network cannot be quantized: {first_line(error)}") from error
        finally:
            logging.getLogger().removeFilter(_quiet)
        quantized = onnx.load_model(written)
    del quantized.metadata_props[:]
    for key, value in facts.items():
        quantized.metadata_props.add(key=key, value=value)
    return bytes(quantized.SerializeToString())


def _show(renderer: Renderer, graph: Graph, photographs: Sequence[Path]) -> Iterator[npt.NDArray[np.float32]]:
    chosen = photographs[:: -(-len(photographs) // CALIBRATION)]
    return (
        graph.input_of(renderer.shrink(read_photograph(file, gray=not renderer.needs_color).pixels)[None]).numpy()
        for file in chosen
    )


def _quiet(_: Any) -> bool:
    return False
