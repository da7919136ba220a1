"""Train and test an autoencoder: python train.py model=lab_unet data=landscapes data.root=FOLDER."""

import colorize.interrupt  # noqa: F401 # first: Ctrl-C ends the imports below without a traceback

# isort: split
import time
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig

from colorize.cli import explain_mistakes, launch
from colorize.compare.sweeps import record_failure
from colorize.registry import import_plugins
from colorize.training.callbacks import Outcome, SaveConfig
from colorize.training.checks import check
from colorize.training.config import build_task, expand_paths, plain, resolve_precision, save_config
from colorize.training.evaluate import best_checkpoint, end_distributed, evaluate, summary
from colorize.training.loggers import open_loggers
from colorize.training.loggers.wandb import log_test_results
from colorize.training.restore import adopt_checkpoint, initialize, load_task
from colorize.weights.checkpoint import read_checkpoint
from colorize.weights.model import fingerprint


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
@record_failure
@explain_mistakes
def main(cfg: DictConfig) -> float | None:
    import_plugins(cfg.plugins)
    expand_paths(cfg)
    if not cfg.fit:
        adopt_checkpoint(cfg)
    check(cfg)
    cfg.trainer.precision = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    save_config(cfg)

    data = instantiate(cfg.data)
    callbacks = {name: instantiate(callback) for name, callback in cfg.callbacks.items() if callback}
    with open_loggers(cfg) as loggers:
        checkpoint, objective = cfg.ckpt_path, None
        training: dict[str, Any] = {}
        if cfg.fit:
            task = build_task(cfg)
            if not cfg.ckpt_path:
                initialize(task, cfg.model)
            watching = [*callbacks.values(), SaveConfig(plain(cfg)), Outcome()]
            trainer = instantiate(cfg.trainer, callbacks=watching, logger=loggers)
            started = time.perf_counter()
            trainer.fit(task, datamodule=data, ckpt_path=cfg.ckpt_path, weights_only=True)
            if not end_distributed(trainer):
                return None
            checkpoint, objective = best_checkpoint(trainer)
            epochs = int(trainer.callback_metrics["outcome/epochs"])
            training = {"epochs": epochs, "seconds": round(time.perf_counter() - started, 1)}
            if checkpoint:
                task.load_state_dict(read_checkpoint(Path(checkpoint))["state_dict"])
        else:
            task = load_task(Path(checkpoint))
        training["weights"] = fingerprint(task.network)
        samples = [callbacks["samples"]] if "samples" in callbacks else []
        metrics = evaluate(cfg, task, data, samples, loggers, training)
        log_test_results(loggers, task, data, metrics, checkpoint if cfg.fit else None)
        print(summary(metrics, Path(cfg.run_dir), checkpoint))
    return objective


if __name__ == "__main__":
    launch(main, "train")
