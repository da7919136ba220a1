"""Trains a network to predict RGB."""

from colorize.targets import ReconstructionTarget, RGBTarget
from colorize.tasks.base import Task


class RGBTask(Task):
    """Gray to RGB."""

    target_class = RGBTarget
    loss_space = "rgb"


class ReconstructionTask(Task):
    """RGB to itself."""

    target_class = ReconstructionTarget
    loss_space = "rgb"
