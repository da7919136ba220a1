"""Tasks: what is predicted, the loss and the metrics."""

from colorize.tasks.grayscale import GrayscaleTask
from colorize.tasks.lab import LabTask
from colorize.tasks.rgb import ReconstructionTask, RGBTask

__all__ = ["GrayscaleTask", "LabTask", "RGBTask", "ReconstructionTask"]
