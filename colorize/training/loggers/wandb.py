"""A run on Weights & Biases: where it belongs, its charts, the table of test pictures, the model, its end.

Nothing here imports wandb before `logger=wandb` is chosen.
"""

import logging
import math
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from colorize.color import delta_e, rgb_to_lab
from colorize.data.base import ImageData
from colorize.errors import ColorizeError
from colorize.metrics import lab_metrics
from colorize.tasks.base import Task
from colorize.training.callbacks.samples import to_uint8
from colorize.training.loggers.place import check_tags, choices, continued, sweep
from colorize.weights.checkpoint import read_checkpoint

log = logging.getLogger(__name__)

N_PICTURES = 32
COLUMNS = ["index", "input", "prediction", "truth", "psnr", "delta_e"]


def wandb_logger(
    save_dir: str,
    project: str,
    name: str,
    tags: Sequence[str] = (),
    fit: bool = True,
    ckpt_path: str | None = None,
) -> WandbLogger:
    """Start a W&B run: online where there is a login, else offline in `save_dir`, said in one line.

    A training that resumes from `ckpt_path` goes on in the W&B run that its checkpoint names. An evaluation (not `fit`)
    and each run of a multirun, whose group is the sweep's folder, is a W&B run of its own. The names of experiment,
    model and data are added to `tags`; those of task and network where a checkpoint is only evaluated.

    Raises:
        ColorizeError: wandb is missing, tags that are no list, a run id in the checkpoint that cannot be one, or what
            W&B refuses.
    """
    try:
        import wandb
    except ModuleNotFoundError as error:
        raise ColorizeError("logger=wandb needs the wandb package: pip install 'colorize[wandb]'.") from error
    check_tags("logger.wandb.tags", tags)
    checkpoint = continued(fit, ckpt_path)
    run_id = read_run_id(checkpoint) if checkpoint else None
    tags = list(dict.fromkeys([*map(str, tags), *choices(None if fit else ckpt_path)]))
    mode = os.environ.get("WANDB_MODE")
    try:
        if mode is None and not wandb.login(prompt=False):
            mode = "offline"
            rank_zero_only(log.warning)(
                "There is no login to W&B, so the run is kept offline; its last line says how to upload it."
            )
        logger = WandbLogger(
            save_dir=save_dir,
            project=project,
            name=name,
            id=run_id,
            resume="allow",
            group=sweep(),
            job_type="train" if fit else "evaluate",
            tags=tags,
            mode=mode,
        )
        run = logger.experiment
    except (wandb.Error, ValueError) as error:
        reason = str(error).partition(" [type=")[0]  # without the links of a validation error
        reason = " ".join(reason.rstrip(".").split())
        raise ColorizeError(
            f"W&B refuses the run: {reason}. Fix logger.wandb.*, or set WANDB_MODE=offline to do without its server."
        ) from error
    _define_charts(run)
    return logger


def read_run_id(checkpoint: Path) -> str | None:
    """The id of the W&B run that a checkpoint was written by, None if by a run without W&B.

    Raises:
        ColorizeError: as `read_checkpoint`, or an id that W&B does not allow.
    """
    run_id = read_checkpoint(checkpoint).get("wandb_run_id")
    if run_id is not None and not (isinstance(run_id, str) and re.fullmatch(r"[^/\\#?%:\s]{1,128}", run_id)):
        raise ColorizeError(f"The wandb_run_id in {checkpoint} is no id of a W&B run: resume it with logger=csv.")
    return run_id


def _define_charts(run: Any) -> None:
    """Epoch or step as the horizontal axis of every metric, and its best value, not its last, in the summary."""
    better = {True: "max", False: "min", None: None}
    best = {"loss": "min"} | {name: better[metric.higher_is_better] for name, metric in lab_metrics().items()}
    run.define_metric("train/loss_step", step_metric="trainer/global_step", summary="min")
    run.define_metric("train/loss_epoch", step_metric="epoch", summary="min")
    for name, summary in best.items():
        for split in ("val", "test"):
            run.define_metric(f"{split}/{name}", step_metric="epoch", summary=summary)
        for prefix in ("val_floor", "floor"):
            run.define_metric(f"{prefix}/{name}", step_metric="epoch")


def log_results(
    logger: WandbLogger, task: Task, data: ImageData, metrics: Mapping[str, Any], checkpoint: str | None
) -> None:
    """Add to a W&B run the table `test_pictures`, and the `checkpoint` it trained with the test's metrics.

    The model is a version of the artifact `model-RUN_ID` (type `model`) with the aliases `best` and `latest`.
    """
    import wandb

    if len(data.splits["test"]):  # there may be none with limit_test_batches=0
        rows = table_rows(task.eval(), data.sample("test", N_PICTURES))
        cells = [[wandb.Image(cell) if isinstance(cell, np.ndarray) else cell for cell in row] for row in rows]
        logger.log_table("test_pictures", COLUMNS, cells)
    if checkpoint is not None:
        model = wandb.Artifact(f"model-{logger.version}", type="model", metadata=dict(metrics))
        model.add_file(checkpoint, name="best.ckpt")
        logger.experiment.log_artifact(model, aliases=["best", "latest"])


@torch.no_grad()
def table_rows(task: Task, batch: dict[str, Tensor]) -> list[list[Any]]:
    """A row of `COLUMNS` for each picture: index, three uint8 (H, W, 3), psnr (None if infinite), mean delta_e."""
    seen, prediction, truth = task.pictures(batch)
    psnrs = (-10 * (prediction - truth).square().mean(dim=(1, 2, 3)).log10()).tolist()
    differences = delta_e(rgb_to_lab(prediction), rgb_to_lab(truth)).mean(dim=(1, 2)).tolist()
    psnrs = [psnr if math.isfinite(psnr) else None for psnr in psnrs]
    pictures = map(to_uint8, (seen, prediction, truth))
    return [list(row) for row in zip(batch["index"].tolist(), *pictures, psnrs, differences, strict=True)]


@rank_zero_only
def finish(logger: WandbLogger, exit_code: int) -> None:
    """End the W&B run, failed unless `exit_code` is 0, and print the command that uploads it if it was offline."""
    run = logger.experiment
    offline, folder = run.offline, Path(run.settings.sync_dir).absolute()
    run.finish(exit_code=exit_code)
    if offline:
        print(f"upload: wandb sync {shlex.quote(str(folder))}")
