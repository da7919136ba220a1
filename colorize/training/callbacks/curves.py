"""The curves of a run: loss, learning rate and the main metrics, from its metrics.csv."""

import csv
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError
from colorize.images import write_photograph
from colorize.training.callbacks.drawing import DrawingCallback

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = list[tuple[float, float]]

METRICS = {  # name: title of its panel; the first four that a task has are drawn
    "psnr": "PSNR in dB (higher is better)",
    "mse_ratio": "MSE of the model / of the floor (lower is better)",
    "delta_e": "colour difference CIEDE2000 (lower is better)",
    "colorfulness_ratio": "colourfulness of the model / of the truth (1 is best)",
    "ssim": "SSIM (higher is better)",
}


class Curves(DrawingCallback):
    """Draws a run's metrics.csv while it trains, and once more when it ends, fails or is stopped.

    Args:
        path: the picture to write; metrics.csv lies beside it.
        every_n_seconds: the least time between two drawings while training, which take about one second each.

    Raises:
        ColorizeError: every_n_seconds is no number of at least 0.
    """

    def __init__(self, path: str, every_n_seconds: float = 60) -> None:
        if not isinstance(every_n_seconds, int | float) or not every_n_seconds >= 0:
            raise ColorizeError(
                f"callbacks.curves.every_n_seconds is {every_n_seconds}, but must be a number of at least 0."
            )
        self.path = Path(path)
        self.every_n_seconds = every_n_seconds
        self.last = 0.0

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.last = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and time.monotonic() >= self.last + self.every_n_seconds:
            self._draw(trainer)
            self.last = time.monotonic()

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._draw(trainer)

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        self._draw(trainer)

    @rank_zero_only
    def _draw(self, trainer: pl.Trainer) -> None:
        with self.drawing(self.path):
            for logger in trainer.loggers:
                logger.save()
            metrics = self.path.parent / "metrics.csv"
            if metrics.is_file():
                curves = read_curves(metrics)
                if curves:
                    write_photograph(self.path, plot_curves(curves))


def read_curves(metrics: Path) -> dict[str, Curve]:
    """(epochs trained, value) of each column of a metrics.csv, the first point of the first epoch being near 0."""
    with metrics.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("step")]
    batches_per_epoch = max(
        ((int(row["step"]) + 1) / (int(row["epoch"]) + 1) for row in rows if row.get("epoch")), default=1.0
    )
    curves: dict[str, Curve] = defaultdict(list)
    for row in rows:
        epochs = (int(row["step"]) + 1) / batches_per_epoch
        for name, value in row.items():
            if value and name not in ("epoch", "step"):
                curves[name].append((epochs, float(value)))
    return dict(curves)


def plot_curves(curves: dict[str, Curve]) -> np.ndarray:
    """The curves as a picture, uint8 (H, W, 3): loss, learning rate, and up to four validation metrics.

    A dashed line is the floor: what doing nothing gives.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metrics = [name for name in METRICS if f"val/{name}" in curves][:4]
    columns = 3 if len(metrics) > 2 else 2
    rows = -(-(2 + len(metrics)) // columns)
    width, height = 4.5 * columns, 3.2 * rows
    figure = Figure(figsize=(width, height), dpi=120)
    figure.subplots_adjust(  # a constrained layout takes twice as long to draw
        left=0.65 / width,
        right=1 - 0.15 / width,
        bottom=0.5 / height,
        top=1 - 0.3 / height,
        wspace=0.22,
        hspace=0.35,
    )
    canvas = FigureCanvasAgg(figure)
    loss, rate, *panels = figure.subplots(rows, columns).flatten()
    plot_loss(loss, curves)
    plot_rate(rate, curves)
    for panel, name in zip(panels, metrics, strict=False):
        plot_metric(panel, curves, name)
    end = max(x for curve in curves.values() for x, _ in curve)
    for panel in (loss, rate, *panels):
        panel.grid(alpha=0.3)
        panel.set(xlim=(0, 1.02 * end), xlabel="epochs")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
        else:
            panel.set_visible(False)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]


def plot_loss(panel: "Axes", curves: dict[str, Curve]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    styles: dict[str, dict[str, Any]] = {
        "train/loss_step": {"color": "C0", "alpha": 0.3, "linewidth": 0.8},
        "train/loss_epoch": {"color": "C0", "marker": "."},
        "val/loss": {"color": "C1", "marker": "."},
    }
    for name, style in styles.items():
        if name in curves:
            panel.plot(*zip(*curves[name], strict=True), label=name, **style)
    panel.set_title("loss", fontsize=10)
    if panel.dataLim.minposy < np.inf:  # a logarithm needs a value above zero
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_locator(NullLocator())


def plot_rate(panel: "Axes", curves: dict[str, Curve]) -> None:
    for name in curves:
        if name.startswith("lr-"):
            panel.plot(*zip(*curves[name], strict=True), marker="." if len(curves[name]) == 1 else "", label=name)
    panel.set_title("learning rate", fontsize=10)
    panel.set_ylim(bottom=0)
    panel.ticklabel_format(axis="y", scilimits=(-2, 3))


def plot_metric(panel: "Axes", curves: dict[str, Curve], name: str) -> None:
    panel.plot(*zip(*curves[f"val/{name}"], strict=True), color="C1", marker=".", label=f"val/{name}")
    floor = curves.get(f"val_floor/{name}")
    if floor:
        panel.axhline(floor[-1][1], color="gray", linestyle="--", label=f"val_floor/{name}")
    panel.set_title(METRICS[name], fontsize=10)
