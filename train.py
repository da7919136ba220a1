"""Train and test an autoencoder: python train.py model=lab_unet data=landscapes data.root=FOLDER."""

import time
from pathlib import Path

import hydra
import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig

from colorize.cli import one_sentence, run
from colorize.compare.sweeps import others_go_on
from colorize.training.callbacks import Outcome, SaveConfig
from colorize.training.checks import check
from colorize.training.config import build_task, expand_paths, plain, resolve_precision, save_config
from colorize.training.evaluate import best_checkpoint, end_distributed, evaluate, summary
from colorize.training.loggers import open_loggers
from colorize.training.loggers.wandb import log_results
from colorize.weights.checkpoint import load_task, start_from


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
@others_go_on
@one_sentence
def main(cfg: DictConfig) -> float | None:
    expand_paths(cfg)
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
            task, _ = load_task(Path(checkpoint))
        samples = [callbacks["samples"]] if "samples" in callbacks else []
        metrics = evaluate(cfg, task, data, samples, loggers, training)
        log_results(loggers, task, data, metrics, checkpoint if cfg.fit else None)
        print(summary(metrics, Path(cfg.run_dir), checkpoint))
    return objective


if __name__ == "__main__":
    run(main)
