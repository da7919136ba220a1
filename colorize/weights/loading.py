"""Weights by name or file, with what is known of them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError, first_line
from colorize.files import expand_home
from colorize.hub.download import SCHEME, download
from colorize.registry import explain_unknown
from colorize.weights.checkpoint import load_model, trained_on
from colorize.weights.exported import read_exported
from colorize.weights.model import Model, fingerprint
from colorize.weights.onnx_file import read_onnx
from colorize.weights.shipped import shipped

_PLACES = ("root", "colored", "gray", "storage_options", "cache_dir")  # of data: paths, and addresses of stores
LARGEST_IMAGE_SIZE = 2048  # what a network sees of a photograph fits into memory


def load_weights(source: Path | str) -> tuple[Model, dict[str, Any]]:
    """The model of shipped weights, of a run's checkpoint or of an exported file, and what is known of it.

    Args:
        source: a name that ships, a run's checkpoints/best.ckpt, a .safetensors or .onnx file, or
            hf://USER/NAME[@REVISION].

    Returns:
        The model, on the CPU, and facts: `image_size`, the side of what the network is shown, and what there is of
        `chroma_gain`, `cast_gain`, `tta_scale`, `data`, `epochs`, `metrics` and `hub`, the repository and commit that
        it came from.

    Raises:
        ColorizeError: no such weights, or a file that neither a training nor `Colorizer.save` wrote.
    """
    if str(source).startswith(SCHEME):
        path, origin = download(str(source))
        model, facts = load_weights(path)
        return model, {**facts, "hub": origin}
    path = shipped().get(str(source)) or expand_home(source)
    if not path.suffix and not os.path.exists(path):  # noqa: PTH110 # Path.exists raises on a name that is too long
        raise ColorizeError(explain_unknown("checkpoint", str(source), [*shipped(), "a path"]))
    if path.suffix == ".safetensors":
        model, facts = read_exported(path)
    elif path.suffix == ".onnx":
        model, facts = read_onnx(path)
    else:
        model, checkpoint = load_model(path)
        facts = _facts(path, checkpoint, model)
    size = facts.get("image_size")
    if not isinstance(size, int) or not 1 <= size <= LARGEST_IMAGE_SIZE:
        raise ColorizeError(f"{path} does not say the image size it was trained on, 1 to {LARGEST_IMAGE_SIZE} pixels.")
    if model.network.multiple > size:  # each picture would be padded to a multiple of it
        raise ColorizeError(
            f"{path} is refused: its network needs pictures of at least {model.network.multiple} pixels a side, but "
            f"says that it was trained on {size}."
        )
    for name, least, most in (("chroma_gain", 0, 10), ("cast_gain", 0, 10), ("tta_scale", 0.25, 4)):
        number = facts.get(name, 1.0)
        if not isinstance(number, int | float) or not least <= number <= most:
            raise ColorizeError(f"{path} has the {name} {number!r}, which must be a number from {least} to {most}.")
    if model.network.image_size is not None and facts.get("tta_scale", 1.0) != 1:
        raise ColorizeError(
            f"{path} has the tta_scale {facts['tta_scale']}, but its network only takes pictures of "
            f"{model.network.image_size} pixels a side, the mirror image too."
        )
    return model, facts


def _facts(path: Path, checkpoint: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """What is known of a run's checkpoint: the image size, the data without their place, the epochs and the metrics.

    The metrics beside it are of one checkpoint, the run's best: no other gets them.
    """
    data, epoch = trained_on(checkpoint), checkpoint.get("epoch")
    facts = {
        "image_size": data.get("image_size"),
        "data": {key: value for key, value in data.items() if key not in _PLACES},
        "epochs": epoch + 1 if isinstance(epoch, int) else None,
    }
    file = path.resolve().parent.parent / "metrics.json"
    if file.is_file():
        try:
            metrics = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ColorizeError(f"{file} is damaged: {first_line(error)}. Move it away or fix it.") from error
        if isinstance(metrics, dict) and metrics.get("weights") == fingerprint(model.network):
            facts["metrics"] = metrics
    return facts
