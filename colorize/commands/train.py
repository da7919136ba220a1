"""One training and its test, or an evaluation, as conf/train.yaml says."""

from pathlib import Path

import hydra
import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig

from colorize.cli.config import CONFIG_DIR
from colorize.cli.launch import explain_mistakes
from colorize.compare.sweeps import record_failure
from colorize.registry import import_plugins
from colorize.training.check_trainer import check_switches
from colorize.training.checks import check
from colorize.training.compiling import compile_network
from colorize.training.config import build_task, expand_paths, resolve_precision, save_config
from colorize.training.evaluate import evaluate, summary
from colorize.training.fit import Training, fit
from colorize.training.loggers import log_test_results, open_loggers
from colorize.training.restore import adopt_checkpoint, task_to_evaluate
from colorize.training.resume.find import adopt_last_checkpoint


@hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="train")
@record_failure
@explain_mistakes
def main(cfg: DictConfig) -> float | None:
    import_plugins(cfg.plugins)
    expand_paths(cfg)
    check_switches(cfg)
    adopt_last_checkpoint(cfg)
    if not cfg.fit:
        adopt_checkpoint(cfg)
    check(cfg)
    cfg.trainer.precision = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    save_config(cfg)

    data = instantiate(cfg.data)
    callbacks = {name: instantiate(callback) for name, callback in cfg.callbacks.items() if callback}
    with open_loggers(cfg) as loggers:
        if cfg.fit:
            task = build_task(cfg)
            if cfg.compile:
                compile_network(task)
            training = fit(cfg, task, data, callbacks, loggers)
            if training is None:
                return None
        else:
            task, training = task_to_evaluate(cfg), Training(cfg.ckpt_path or cfg.model.init_from)
        metrics = evaluate(cfg, task, data, callbacks, loggers, training.facts)
        log_test_results(loggers, task, data, metrics, training.checkpoint if cfg.fit else None)
        print(summary(metrics, Path(cfg.run_dir), training.checkpoint, cfg.plugins or ()))
    return training.objective
