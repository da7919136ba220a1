"""Loggers beside the CSV file that every run writes."""

import logging
import os
from collections.abc import Sequence

from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from colorize.config import plain
from colorize.errors import ColorizeError

log = logging.getLogger(__name__)


def build_loggers(cfg: DictConfig) -> list[Logger]:
    """The loggers of `cfg.logger`; those that show configurations are given this one."""
    loggers: list[Logger] = [instantiate(logger) for logger in cfg.logger.values()]
    for logger in loggers:
        if not isinstance(logger, CSVLogger):  # config.yaml lies beside its metrics.csv
            logger.log_hyperparams(plain(cfg))
    return loggers


def finish(loggers: list[Logger]) -> None:
    """Write out what is pending and end the W&B run, so that the next run of a sweep is one of its own."""
    for logger in loggers:
        logger.finalize("success")
        if isinstance(logger, WandbLogger):
            logger.experiment.finish()


def wandb_logger(save_dir: str, project: str, name: str, tags: Sequence[str] = ()) -> Logger:
    """Weights & Biases: online where there is a login, else offline in `save_dir`, said in one line."""
    import wandb

    mode = os.environ.get("WANDB_MODE")
    if mode is None and not wandb.login(prompt=False):
        mode = "offline"
    if mode == "offline":
        log.warning(
            "W&B keeps this run offline in %s/wandb; after `wandb login`, `wandb sync` uploads it.",
            save_dir,
        )
    return WandbLogger(save_dir=save_dir, project=project, name=name, tags=list(tags), mode=mode)


def tensorboard_logger(save_dir: str) -> Logger:
    """TensorBoard event files in `save_dir`.

    Raises:
        ColorizeError: the tensorboard package is missing.
    """
    try:
        return TensorBoardLogger(save_dir, name="", version="tensorboard")
    except ModuleNotFoundError as error:
        raise ColorizeError(
            "logger=tensorboard needs the tensorboard package: pip install 'colorize[tensorboard]'."
        ) from error
