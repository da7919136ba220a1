"""From weights to an ONNX file that has passed its check."""

from pathlib import Path

from colorize.errors import ColorizeError, first_line
from colorize.export.check import check_content
from colorize.export.graph import PRECISIONS, Graph, make_onnx
from colorize.export.int8 import quantize
from colorize.files import write_whole
from colorize.images import find_photographs
from colorize.inference.colorizer import Colorizer
from colorize.weights.shipped import DEFAULT, shipped

LICENSE = "MIT"  # of the weights that ship


def export(
    path: Path,
    source: str = DEFAULT,
    precision: str = "float32",
    calibration: Path | None = None,
    license: str | None = None,
) -> float:
    """Write the ONNX file of weights, once it has been compared with them.

    Args:
        path: ends in .onnx; an older file stays unless the new one passes.
        source: as of `Colorizer.load`.
        precision: "float32" or "float16".
        calibration: a folder of photographs: the convolutions become int8.
        license: of the weights, for the metadata; MIT for those that ship.

    Returns:
        The difference that `check_content` found.

    Raises:
        ColorizeError: as `make_onnx`, `quantize` and `check_content`; or the file cannot be written.
    """
    if path.suffix != ".onnx":
        raise ColorizeError(f"{path}: the name of an ONNX file must end in .onnx.")
    if precision not in PRECISIONS:
        raise ColorizeError(f"precision={precision} is not possible: give {' or '.join(PRECISIONS)}.")
    if calibration is not None and precision != "float32":
        raise ColorizeError(f"precision={precision} does not go with quantize=int8: leave it out.")
    if not path.parent.is_dir():
        raise ColorizeError(f"{path} cannot be written: there is no folder {path.parent}.")
    photographs = None if calibration is None else find_photographs(calibration)
    colorizer = Colorizer.load(source, device="cpu", precision="32")
    variant = precision if calibration is None else "int8"
    facts = {"name": _name(source), "license": license or (LICENSE if source in shipped() else None)}
    content = make_onnx(colorizer, {**facts, "precision": variant}, precision)
    graph = Graph(colorizer).eval()
    if photographs is not None:
        content = quantize(content, colorizer, graph, photographs)
    difference = check_content(path, content, graph, variant, colorizer.working_size)
    try:
        write_whole(path, content)
    except OSError as error:
        raise ColorizeError(f"{path} cannot be written: {first_line(error)}.") from error
    return difference


def _name(source: str) -> str:
    """What a user knows the weights by: of a run's checkpoint, its folder."""
    path = Path(source)
    return path.parent.parent.name if path.parent.name == "checkpoints" else path.stem
