"""Tasks: the LightningModules that train a network towards a target, with its loss, metrics and optimizer.

Any imported subclass of `Task` is found by its name.
"""

from colorize.tasks.base import Task
from colorize.tasks.bins import LabBinsTask, LabHybridTask
from colorize.tasks.grayscale import GrayscaleTask
from colorize.tasks.lab import LabTask
from colorize.tasks.losses import Loss
from colorize.tasks.rgb import ReconstructionTask, RGBTask

__all__ = [
    "GrayscaleTask",
    "LabBinsTask",
    "LabHybridTask",
    "LabTask",
    "Loss",
    "RGBTask",
    "ReconstructionTask",
    "Task",
]
