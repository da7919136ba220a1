"""Where a run is logged."""

from colorize.training.loggers.metrics_csv import MetricsCSV
from colorize.training.loggers.opening import log_test_results, open_loggers
from colorize.training.loggers.tensorboard import tensorboard_logger

__all__ = ["MetricsCSV", "log_test_results", "open_loggers", "tensorboard_logger"]
