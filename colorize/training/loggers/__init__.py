"""Where a run is logged."""

from colorize.training.loggers.metrics_csv import MetricsCSV
from colorize.training.loggers.opening import open_loggers
from colorize.training.loggers.tensorboard import tensorboard_logger

__all__ = ["MetricsCSV", "open_loggers", "tensorboard_logger"]
