"""The final test: on one device, beside the floor."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from colorize import program
from colorize.data.base import ImageData
from colorize.files import whole_file, write_whole
from colorize.tasks.base import Task
from colorize.training.callbacks.samples import to_uint8
from colorize.training.config import progress_bars
from colorize.training.devices import first_device
from colorize.training.resume.stop import ended_by_sigterm
from colorize.weights.model import fingerprint

N_SAMPLES = 8


def evaluate(
    cfg: DictConfig,
    task: Task,
    data: ImageData,
    callbacks: Mapping[str, Callback],
    loggers: list[Logger],
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Test `task`, write `metrics.json` and `test_samples.npz` into the run's folder, and return the metrics.

    Keys: `test/NAME` and `floor/NAME` for every metric, those of the callback `perceptual` too, `test/loss`,
    `n_images` tested, `parameters` of the network, and those of `training`: `epochs` and `seconds`, missing in an
    evaluation alone, and the fingerprint of the tested `weights`. A value that JSON cannot hold (the psnr of a
    perfect picture is infinite) is null.
    `test_samples.npz` holds `input`, `prediction` and `truth`, uint8 (8, H, W, 3), of the same test pictures for every
    run of the data, and their `index`.

    Raises:
        SystemExit: 143 after SIGTERM.
    """
    watching = [callbacks[name] for name in ("perceptual", "samples") if name in callbacks] + progress_bars(cfg)
    one_device = {"devices": first_device(cfg.trainer), "num_nodes": 1, "strategy": "auto"}
    tester = instantiate(cfg.trainer, **one_device, callbacks=watching, logger=loggers)
    epochs = math.ceil(training.get("epochs") or 0)  # where charts show the test
    tester.fit_loop.epoch_progress.current.completed = epochs
    with ended_by_sigterm(tester):
        tester.test(task, datamodule=data, verbose=False)
    measured = {name: value.item() for name, value in sorted(tester.callback_metrics.items())}
    metrics = {
        **{name: value if math.isfinite(value) else None for name, value in measured.items()},
        "n_images": min(sum(tester.num_test_batches) * data.batch_size, len(data.splits["test"])),
        "parameters": sum(parameter.numel() for parameter in task.network.parameters()),
        **training,
        "weights": fingerprint(task.network),
    }
    if not cfg.trainer.fast_dev_run:
        run_dir = Path(cfg.run_dir)
        if len(data.splits["test"]):  # there may be none with limit_test_batches=0
            batch = data.sample("test", N_SAMPLES)
            seen, prediction, truth = map(to_uint8, task.eval().pictures(batch))
            index = batch["index"].numpy()
            with whole_file(run_dir / "test_samples.npz") as file:
                np.savez(file, input=seen, prediction=prediction, truth=truth, index=index)
        text = json.dumps(metrics, indent=2, allow_nan=False)
        write_whole(run_dir / "metrics.json", f"{text}\n".encode())
    return metrics


def summary(metrics: dict[str, Any], run_dir: Path, checkpoint: str | None, plugins: str | Sequence[str] = ()) -> str:
    """The metrics beside the floor, where the run lies, and the command that uses what it learned.

    Args:
        metrics: as from `evaluate`.
        run_dir: the folder of the run.
        checkpoint: of the weights that were tested; without one there is no command.
        plugins: the user's modules that its classes are in.
    """
    names = [name.removeprefix("floor/") for name in metrics if name.startswith("floor/")]
    n_images = metrics["n_images"]
    title = f"test, {n_images} picture{'' if n_images == 1 else 's'}"
    lines = [f"{title:<24}{'model':>10}{'floor':>10}"]
    for name in names:
        model, floor = metrics[f"test/{name}"], metrics[f"floor/{name}"]
        lines.append(f"  {name:<22}{_number(model):>10}{_number(floor):>10}")
    lines.append(f"run: {run_dir}")
    if checkpoint is not None:
        modules = plugins if isinstance(plugins, str) else f"[{','.join(plugins)}]"
        words = [f"plugins={modules}"] if plugins else []
        arguments = shlex.join([*words, f"checkpoint={checkpoint}"])
        lines.append(f"use: {program.other('predict')} {arguments} input=PHOTO_OR_FOLDER output=FOLDER")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
