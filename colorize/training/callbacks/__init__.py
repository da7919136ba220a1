"""What a run does beside training, a file each."""

from colorize.training.callbacks.architecture import Architecture
from colorize.training.callbacks.curves import Curves
from colorize.training.callbacks.early_stopping import EarlyStopping
from colorize.training.callbacks.ema import EMA
from colorize.training.callbacks.final_test import FinalTest
from colorize.training.callbacks.fit_result import FitResult
from colorize.training.callbacks.perceptual import PerceptualMetrics
from colorize.training.callbacks.samples import SamplePictures
from colorize.training.callbacks.save_config import SaveConfig
from colorize.training.callbacks.watch_ranks import WatchRanks

__all__ = [
    "EMA",
    "Architecture",
    "Curves",
    "EarlyStopping",
    "FinalTest",
    "FitResult",
    "PerceptualMetrics",
    "SamplePictures",
    "SaveConfig",
    "WatchRanks",
]
