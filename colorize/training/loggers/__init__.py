"""Where a run is logged beside its metrics.csv."""

from colorize.training.loggers.opening import open_loggers
from colorize.training.loggers.tensorboard import tensorboard_logger

__all__ = ["open_loggers", "tensorboard_logger"]
