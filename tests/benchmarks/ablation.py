"""What pays: variants of one training, each for the same seconds of one core, over folders of colour photographs.

    python -m tests.benchmarks.ablation --root FOLDER ... --seconds 120 --seeds 1 2 --json FILE [--variants NAME ...]

`experiment=photographs` at windows of 64x64 on EfficientNet-Lite0, in bfloat16; the rate follows a cosine over the
seconds. The first FOLDER gets the weight 0.8, or all of it where there is no other. Figures are of every third batch of
the test part. Rows that FILE already has are not trained again.
"""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from colorize.data.base import ImageData
from colorize.training.callbacks.ema import EMA
from colorize.training.config import build_task
from colorize.training.initialize import initialize
from tests.benchmarks.models import configuration
from tests.benchmarks.table import parser, report

BASE = (
    *("experiment=photographs", "model.network.encoder=efficientnet_lite0", "model.scheduler=null"),
    *("data.augment.crop_size=64", "model.optimizer.weight_decay=0.01"),
)
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "lab_encoder_unet": (),
    "frozen encoder": ("model.optimizer.lr_factors.encoder=0",),
    "no ImageNet weights": ("model.encoder_weights=null", "model.optimizer.lr_factors.encoder=1"),
    "no first folder": (),
    "loss of chroma": ("model.loss_space=chroma", "model.loss.beta=0.2"),
    "loss of rgb": ("model.loss_space=rgb", "model.loss.beta=0.2"),
    "no moving average": (),
    "half aged": ("data.augment.ageing=0.5",),
    "lab_hybrid": ("model=lab_hybrid", "model/network=encoder_unet"),
    "lab_bins": ("model=lab_bins", "model/network=encoder_unet"),
}
WARM_UP, FINAL = 0.05, 0.01  # shares of the seconds and of the rate
SHOWN = ("mse_ratio", "delta_e", "colorfulness_ratio")


class Budget(pl.Callback):
    """Ends a fit after so many seconds of the CPU, along which the rate rises and falls as `cosine` would have it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = self.rate = 0.0

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started = time.process_time()

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        share = (time.process_time() - self.started) / self.seconds
        falling = 0.5 * (1 + math.cos(math.pi * min(1.0, (share - WARM_UP) / (1 - WARM_UP))))
        factor = share / WARM_UP if share < WARM_UP else FINAL + (1 - FINAL) * falling
        optimizer: Optimizer = trainer.optimizers[0]
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
        trainer.should_stop = share >= 1


def compose(variant: str, seed: int, roots: list[Path]) -> DictConfig:
    weights = [0.8, *([0.2 / (len(roots) - 1)] * (len(roots) - 1))] if len(roots) > 1 else [1.0]
    if variant == "no first folder":
        weights[0] = 0.0
    data = (f"data.root=[{','.join(map(str, roots))}]", f"data.weights={weights}", f"seed={seed}")
    return configuration(*BASE, *data, *VARIANTS[variant])


def train(variant: str, seed: int, roots: list[Path], seconds: float) -> dict[str, Any]:
    cfg = compose(variant, seed, roots)
    pl.seed_everything(seed)
    task, data = build_task(cfg), instantiate(cfg.data)
    initialize(task, cfg.model)
    budget = Budget(seconds)
    trainer = pl.Trainer(
        max_epochs=-1,
        min_epochs=0,
        precision="bf16-mixed",
        accelerator="cpu",
        limit_val_batches=0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[budget, *([] if variant == "no moving average" else [EMA(0.99)])],
    )
    trainer.fit(task, datamodule=data)
    figures = trainer.test(task, thirds(data), verbose=False)[0]
    row = {"variant": variant, "seed": seed, "seconds": seconds, "steps": trainer.global_step}
    return row | {name: round(figures[f"test/{name}"], 4) for name in SHOWN}


def thirds(data: ImageData) -> DataLoader[Any]:
    batches: Any = list(data.test_dataloader())[::3]
    return DataLoader(batches, batch_size=None)


def means(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each variant: the mean over its seeds, and how many there are."""
    made = []
    for variant in dict.fromkeys(row["variant"] for row in rows):
        own = [row for row in rows if row["variant"] == variant]
        ratios = [row["mse_ratio"] for row in own]
        made.append({"variant": variant, "seeds": len(own), "spread": max(ratios) - min(ratios)})
        made[-1] |= {name: fmean(row[name] for row in own) for name in ("steps", *SHOWN)}
    return made


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--root", nargs="+", type=Path, required=True)
    arguments.add_argument("--seconds", type=float, default=120)
    arguments.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    arguments.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(asked.json.read_text()) if asked.json is not None and asked.json.exists() else []
    done = {(row["variant"], row["seed"], row["seconds"]) for row in rows}
    for seed in asked.seeds:
        for variant in asked.variants:
            if (variant, seed, asked.seconds) not in done:
                rows.append(train(variant, seed, asked.root, asked.seconds))
                report(rows, asked.json)
    report(means(rows), None)


if __name__ == "__main__":
    main()
