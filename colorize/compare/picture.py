"""The picture of a comparison: the same test pictures by every run, and bars of psnr and colorfulness_ratio."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from colorize.compare.labels import group

INCH = 1.0  # of a picture's side
BAR_INCH = 0.28


class Entry(NamedTuple):
    """A run to draw: the lines of its label, its floor's title, its `test_samples.npz` and its `metrics.json`."""

    lines: Sequence[str]
    floor: str
    samples: Mapping[str, np.ndarray]
    metrics: Mapping[str, float | None]

    @property
    def label(self) -> str:
        return " ".join(self.lines)


@rc_context({"text.parse_math": False})  # the $ of a name or a setting begins no formula
def draw(entries: Sequence[Entry]) -> bytes:
    """A PNG: for each set of test pictures a block with the input, a column for each run and the truth, then bars."""
    blocks = by_truth(entries)
    columns = max((len(block) for block in blocks), default=0) + 2
    heights = [(1.3 + len(block[0].samples["truth"])) * INCH for block in blocks]
    bars = 0.8 + BAR_INCH * len(entries)
    width = max(9.0, columns * INCH, 5 + max((len(entry.label) for entry in entries), default=0) / 14)
    figure = Figure(figsize=(width, sum(heights) + bars), layout="constrained")
    grid = figure.add_gridspec(len(blocks) + 1, 1, height_ratios=[*heights, bars])
    for row, block in enumerate(blocks):
        _pictures(figure.add_subplot(grid[row]), block)
    below = grid[len(blocks)].subgridspec(1, 2)
    left = figure.add_subplot(below[0])
    right = figure.add_subplot(below[1], sharey=left)
    _bars(left, entries, "psnr")
    _bars(right, entries, "colorfulness_ratio")
    left.set_ylim(len(entries) - 0.5, -0.5)
    right.tick_params(labelleft=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def by_truth(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The runs that have pictures, those with the same test pictures together."""
    drawn = [entry for entry in entries if "truth" in entry.samples]
    return group(drawn, lambda one, other: np.array_equal(one.samples["truth"], other.samples["truth"]))


def _pictures(axes: Axes, block: Sequence[Entry]) -> None:
    first = block[0].samples
    columns = np.stack([first["input"], *(entry.samples["prediction"] for entry in block), first["truth"]])
    gap = max(1, columns.shape[2] // 16)
    padded = np.pad(columns, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)), constant_values=255)
    count, rows, height, width, channels = padded.shape
    panel = padded.transpose(1, 2, 0, 3, 4).reshape(rows * height, count * width, channels)
    axes.imshow(panel, interpolation="nearest")
    labels = ["input", *("\n".join(entry.lines) for entry in block), "truth"]
    axes.set_xticks([(place + 0.5) * width - gap / 2 for place in range(count)], labels, fontsize=7)
    axes.xaxis.tick_top()
    axes.set_xlabel(block[0].floor)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _bars(axes: Axes, entries: Sequence[Entry], name: str) -> None:
    """Horizontal bars, one for each run, with its floor as a dashed line. psnr begins near its least value."""
    values = [entry.metrics.get(f"test/{name}") for entry in entries]
    floors = [entry.metrics.get(f"floor/{name}") for entry in entries]
    known = [value for value in [*values, *floors] if value is not None]
    start = float(np.floor(min(known) - 1)) if name == "psnr" and known else 0.0
    for place, (value, floor) in enumerate(zip(values, floors, strict=True)):
        if value is None:
            axes.text(start, place, " none", va="center", fontsize=7, color="gray")
        else:
            axes.barh(place, value - start, left=start, color="tab:blue", height=0.7)
            axes.text(value, place, f" {value:.3g}", va="center", fontsize=7)
        if floor is not None:
            axes.plot([floor, floor], [place - 0.5, place + 0.5], color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(entries)), [entry.label for entry in entries], fontsize=8)
    axes.set_xlabel(f"{name} (dashed: floor)" + (", dB" if name == "psnr" else ""))
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
