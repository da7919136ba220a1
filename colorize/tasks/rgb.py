"""Trains a network to predict RGB."""

from colorize.targets import ReconstructionTarget, RGBTarget
from colorize.tasks.base import Task


class RGBTask(Task):
    """Gray to RGB."""

    target_class = RGBTarget


class ReconstructionTask(Task):
    """RGB to itself."""

    target_class = ReconstructionTarget
