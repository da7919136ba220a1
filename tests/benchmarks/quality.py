"""Error against seconds of training: models at equal budgets of one core's time, on painted scenes or other data.

    python -m tests.benchmarks.quality [--models lab_unet ...] [--seconds 10 20 40] [--output PLOT.png] [--json FILE]
        [data=landscapes data.root=FOLDER ...]

Each model trains once at its own constant learning rate, in the precision that `precision=auto` stands for; a moving
average of its weights is tested when the process has used so many seconds of the CPU, and the test does not count.
mse_ratio is the pooled error over the gray floor's.
"""

import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import matplotlib
import torch
from torch.optim.swa_utils import AveragedModel

from colorize.color import to_float
from colorize.data.base import ImageData
from colorize.inference.device import automatic_precision
from colorize.tasks import Task
from colorize.training.callbacks.ema import average
from tests.benchmarks.models import configuration, loss_of, make
from tests.benchmarks.table import parser, report

MODELS = ("lab_unet", "lab_cae", "lab_encoder_unet", "rgb_unet", "rgb_cae")
CLIP = 1.0
DECAY = 0.98


def mse_ratio(task: Task, data: ImageData) -> float:
    error = floor = 0.0
    task.eval()
    with torch.inference_mode():
        for batch in data.test_dataloader():
            truth = to_float(batch["rgb"])
            error += float((task.pictures(batch)[1] - truth).square().sum())
            floor += float((task.floor(batch) - truth).square().sum())
    return error / floor


def train(model: str, budgets: list[float], overrides: list[str]) -> list[dict[str, Any]]:
    task, data, optimizer = make(configuration(f"model={model}", *overrides))
    dtype, rows, spent, steps = automatic_precision(torch.device("cpu")), [], 0.0, 0
    averaged = AveragedModel(task, multi_avg_fn=partial(average, DECAY), use_buffers=True)
    task.train()
    for _ in count():
        for batch in data.train_dataloader():
            started = time.process_time()
            optimizer.zero_grad()
            loss_of(task, data.augment(batch), dtype).backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), CLIP)
            optimizer.step()
            averaged.update_parameters(task)
            steps, spent = steps + 1, spent + time.process_time() - started
            if spent >= budgets[len(rows)]:
                rows.append({"model": model, "seconds": budgets[len(rows)], "steps": steps})
                rows[-1]["mse_ratio"] = round(mse_ratio(averaged.module, data), 4)
                print(rows[-1], flush=True)
                if len(rows) == len(budgets):
                    return rows
    raise AssertionError


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        axes.plot([row["seconds"] for row in mine], [row["mse_ratio"] for row in mine], "o-", label=model)
    axes.axhline(1, color="gray", linestyle="--", label="gray floor")
    axes.set(xlabel="seconds of one core", ylabel="mse_ratio", yscale="log", xscale="log")
    seconds = sorted({row["seconds"] for row in rows})
    axes.set_xticks(seconds, [f"{value:g}" for value in seconds])
    axes.xaxis.set_minor_formatter("")
    axes.yaxis.set_minor_formatter("{x:.1f}")
    axes.yaxis.set_major_formatter("{x:.1f}")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--models", nargs="+", default=MODELS)
    arguments.add_argument("--seconds", type=float, nargs="+", default=[10, 20, 40])
    arguments.add_argument("--output", type=Path)
    arguments.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of train.py's configuration")
    asked = arguments.parse_intermixed_args()
    torch.set_num_threads(1)
    rows = [row for model in asked.models for row in train(model, sorted(asked.seconds), asked.overrides)]
    report(rows, asked.json)
    if asked.output is not None:
        plot(rows, asked.output)


if __name__ == "__main__":
    main()
