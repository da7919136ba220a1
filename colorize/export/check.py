"""An ONNX file beside the network of torch that it was made of."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from colorize.color import AB_SCALE
from colorize.errors import ColorizeError
from colorize.export.graph import Graph
from colorize.scenery import render_scenes
from colorize.weights.onnx_file import parse_onnx

MOST = {"float32": 1e-4, "float16": 0.05}
"""The largest difference of any a or b that is let pass, over 110."""
MEAN = {"int8": 0.05}
"""The largest mean difference, over 110: of integers, single pixels say little."""


def check_content(path: Path, content: bytes, graph: Graph, variant: str, image_size: int) -> float:
    """The difference of an ONNX file's colours from torch's, as a share of 110: the largest, of int8 the mean.

    Args:
        path: where it will be.
        content: the file.
        graph: in float32.
        variant: "float32", "float16" or "int8".
        image_size: of the working size.

    Raises:
        ColorizeError: they differ by more than `MOST` or `MEAN`, or as `parse_onnx`.
    """
    network = parse_onnx(path, content)[0].network
    worst = total = 0.0
    count = 0
    for rgb in pictures(image_size, graph.network.image_size):
        seen = graph.input_of(rgb)
        with torch.inference_mode():
            difference = (network(seen) - graph(seen)).abs() / AB_SCALE
        if not torch.isfinite(difference).all():
            raise ColorizeError(f"{path.name} fails its check: its colours of a picture are not finite.")
        worst = max(worst, difference.max().item())
        total, count = total + difference.sum().item(), count + difference.numel()
    found, bound = (worst, MOST[variant]) if variant in MOST else (total / count, MEAN[variant])
    if not found <= bound:
        word = "largest" if variant in MOST else "mean"
        raise ColorizeError(
            f"The {variant} ONNX file fails its check: the {word} difference of its ab from torch's is {found:.2g} of "
            f"{AB_SCALE:g}, more than {bound:g}."
        )
    return found


def pictures(image_size: int, fixed: int | None) -> Iterator[Tensor]:
    """Painted scenes and random pixels of several sizes, RGB (B, 3, H, W) in [0, 1]."""
    sizes = [(image_size, image_size), (image_size, image_size * 5 // 4 + 1), (45, 33), (1, 70), (1, 1)]
    if fixed is not None:
        sizes = [(fixed, fixed)]
    generator = np.random.default_rng(0)
    for number, (height, width) in enumerate(sizes):
        scene = render_scenes([number, number + 5], max(height, width, 32))[:, :height, :width]
        yield torch.from_numpy(np.ascontiguousarray(scene)).movedim(-1, 1) / 255
        yield torch.from_numpy(generator.random((1, 3, height, width), dtype=np.float32))
