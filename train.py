"""Train and test an autoencoder: python train.py model=lab_unet data=landscapes data.root=FOLDER."""

import colorize.interrupt  # noqa: F401 # first: Ctrl-C ends the imports below without a traceback

# isort: split
import time
from pathlib import Path

import hydra
import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig

from colorize.cli import explain_mistakes, launch
from colorize.compare.sweeps import others_go_on
from colorize.training.callbacks import SaveConfig
from colorize.training.checks import check
from colorize.training.config import build_task, plain, resolve_precision, save_config
from colorize.training.evaluate import best, evaluate, leave_distributed, summary
from colorize.training.loggers import open_loggers
from colorize.training.loggers.wandb import log_results
from colorize.weights.checkpoint import load_task, start_from


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
@others_go_on
@explain_mistakes
def main(cfg: DictConfig) -> float | None:
    check(cfg)
    cfg.trainer.precision = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    save_config(cfg)

    data = instantiate(cfg.data)
    callbacks = {name: instantiate(callback) for name, callback in cfg.callbacks.items() if callback}
    with open_loggers(cfg) as loggers:
        checkpoint, training, objective = cfg.ckpt_path, {}, None
        if cfg.fit:
            task = build_task(cfg)
            if cfg.model.init_from and not checkpoint:
                start_from(task, Path(cfg.model.init_from))
            trainer = instantiate(cfg.trainer, callbacks=[*callbacks.values(), SaveConfig(plain(cfg))], logger=loggers)
            started = time.perf_counter()
            trainer.fit(task, datamodule=data, ckpt_path=cfg.ckpt_path, weights_only=True)
            if not leave_distributed(trainer):
                return None
            training = {"epochs": trainer.current_epoch or None, "seconds": round(time.perf_counter() - started, 1)}
            checkpoint, objective = best(trainer)
        if checkpoint:
            task, _ = load_task(Path(checkpoint))
        samples = [callbacks["samples"]] if "samples" in callbacks else []
        metrics = evaluate(cfg, task, data, samples, loggers, training)
        log_results(loggers, task, data, metrics, checkpoint if cfg.fit else None)
        print(summary(metrics, Path(cfg.run_dir), checkpoint))
    return objective


if __name__ == "__main__":
    launch(main, "train")
