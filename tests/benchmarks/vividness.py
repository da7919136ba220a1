"""Accuracy against vividness: weights over a folder of colour photographs, with saturation and temperature swept.

    python tests/benchmarks/vividness.py FOLDER OUTPUT [WEIGHTS ...] [--limit N]

Photographs are cut to 128x128, made gray at 8 bits and coloured again. OUTPUT.json has, for each of the weights and
each setting, the metrics over all and for each folder in FOLDER (a kind of picture), with the share of pictures that
are farther from the truth than their gray; OUTPUT.png shows mse_ratio and delta_e against colorfulness_ratio.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

from colorize.color import rgb_to_gray
from colorize.images import find_photographs, read_rgb
from colorize.inference.colorizer import Colorizer
from colorize.metrics import color_metrics
from colorize.targets.bins import LabBinsTarget

SIZE = 128
BATCH = 32
SATURATIONS = (0.5, 0.75, 1.0, 1.2, 1.4, 1.7, 2.0)
TEMPERATURES = (1.0, 0.6, 0.38, 0.25, 0.15, 0.1)
SHOWN = ("mse_ratio", "delta_e", "colorfulness_ratio")

Row = dict[str, Any]


def load(files: Sequence[Path]) -> Iterator[Tensor]:
    """Batches of squares, RGB (B, 3, SIZE, SIZE) in [0, 1]."""
    for start in range(0, len(files), BATCH):
        squares = [
            np.asarray(ImageOps.fit(Image.fromarray(read_rgb(file)), (SIZE, SIZE), Image.Resampling.LANCZOS))
            for file in files[start : start + BATCH]
        ]
        yield torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2) / 255


def to_8_bit(images: Tensor) -> Tensor:
    return (images * 255).round() / 255


def evaluate(batches: Sequence[Tensor], colorizer: Colorizer | None, settings: Mapping[str, float]) -> Row:
    """The metrics of pictures coloured with `settings`, or of their gray where there is no colorizer."""
    metrics, worse, count = color_metrics(), 0, 0
    for rgb in batches:
        gray = to_8_bit(rgb_to_gray(rgb))
        floor = gray.expand(-1, 3, -1, -1).contiguous()
        colored = floor if colorizer is None else to_8_bit(colorizer.colorize(gray, **settings))
        metrics.update(colored, rgb)
        error, floor_error = ((image - rgb).square().mean((1, 2, 3)) for image in (colored, floor))
        worse += int((error > floor_error).sum())
        count += len(rgb)
    return {name: value.item() for name, value in metrics.compute().items()} | {
        "worse_than_gray": worse / count,
        "n_images": count,
    }


def settings_of(colorizer: Colorizer) -> list[dict[str, float]]:
    swept = [{"saturation": saturation} for saturation in SATURATIONS]
    if isinstance(colorizer.target, LabBinsTarget):
        swept += [{"temperature": temperature} for temperature in TEMPERATURES]
    return swept


def by_kind(folder: Path, limit: int | None) -> dict[str, list[Tensor]]:
    files: dict[str, list[Path]] = defaultdict(list)
    for path in find_photographs(folder):
        below = path.relative_to(folder).parts
        files[below[0] if len(below) > 1 else "all"].append(path)
    return {kind: list(load(paths[:limit])) for kind, paths in files.items()}


def draw(rows: Sequence[Row], path: Path) -> None:
    figure = Figure(figsize=(10, 5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), SHOWN[:2], strict=True):
        for weights in dict.fromkeys(row["weights"] for row in rows):
            for knob, marker in (("saturation", "o"), ("temperature", "s")):
                line = [row for row in rows if row["weights"] == weights and knob in row["settings"]]
                if line:
                    label = f"{weights}, {knob} {line[0]['settings'][knob]:g} to {line[-1]['settings'][knob]:g}"
                    points = ([row["colorfulness_ratio"] for row in line], [row[metric] for row in line])
                    axes.plot(*points, marker=marker, markersize=4, label=label)
        floor = next(row[metric] for row in rows if row["weights"] == "gray floor")
        axes.axhline(floor, color="gray", linestyle="--", label="gray floor")
        axes.set(xlabel="colorfulness_ratio", ylabel=metric)
        axes.set_ylim(top=1.35 * floor)
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("weights", nargs="*", default=["photographs"])
    parser.add_argument("--limit", type=int, help="pictures of each kind")
    parser.add_argument("--kinds", action="store_true", help="by kind, at the default settings alone")
    options = parser.parse_args()
    kinds = by_kind(options.folder, options.limit)
    groups = kinds if options.kinds else {"all": [batch for batches in kinds.values() for batch in batches]}
    rows: list[Row] = []
    for kind, batches in groups.items():
        rows.append({"weights": "gray floor", "kind": kind, "settings": {}} | evaluate(batches, None, {}))
        for source in options.weights:
            colorizer = Colorizer.load(source)
            for settings in [{}] if options.kinds else settings_of(colorizer):
                row = {"weights": Path(source).stem, "kind": kind, "settings": settings}
                rows.append(row | evaluate(batches, colorizer, settings))
                values = "  ".join(f"{name} {rows[-1][name]:.3f}" for name in (*SHOWN, "worse_than_gray"))
                print(f"{rows[-1]['weights']:24} {kind:12} {settings!s:24} {values}", flush=True)
    Path(f"{options.output}.json").write_text(json.dumps(rows, indent=1))
    if not options.kinds:
        draw(rows, Path(f"{options.output}.png"))


if __name__ == "__main__":
    main()
