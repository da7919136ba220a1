"""The loggers of a run, from its start to its end."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, WandbLogger

from colorize.data.base import ImageData
from colorize.tasks.base import Task
from colorize.training.config import plain
from colorize.training.loggers import mlflow as mlflow_run
from colorize.training.loggers import wandb as wandb_run


@contextmanager
def open_loggers(cfg: DictConfig) -> Iterator[list[Logger]]:
    """The loggers of `cfg.logger`, without those that are null; those that show configurations are given this one.

    All are closed at the end, also when the run fails, so that the next run of a sweep has its own.
    """
    with ExitStack() as stack:
        loggers: list[Logger] = []
        for settings in filter(None, cfg.logger.values()):
            logger = instantiate(settings)
            stack.push(partial(_close, logger))
            loggers.append(logger)
            if isinstance(logger, MLFlowLogger):
                mlflow_run.log_configuration(logger, plain(cfg))
            elif not isinstance(logger, CSVLogger):  # config.yaml lies beside its metrics.csv
                logger.log_hyperparams(plain(cfg))
        yield loggers


def log_test_results(
    loggers: list[Logger], task: Task, data: ImageData, metrics: Mapping[str, Any], checkpoint: str | None
) -> None:
    """Show the final test, and the `checkpoint` of a training, wherever the run is logged."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            wandb_run.log_results(logger, task, data, metrics, checkpoint)
        elif isinstance(logger, MLFlowLogger):
            mlflow_run.log_results(logger, metrics, checkpoint)


def _close(logger: Logger, error: type[BaseException] | None, *_: object) -> None:
    try:
        logger.finalize("failed" if error else "success")
    finally:
        if isinstance(logger, WandbLogger):
            wandb_run.finish(logger, exit_code=1 if error else 0)
