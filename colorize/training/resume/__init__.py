"""Trainings that can be ended at any moment and go on as if they had not been."""

from colorize.training.resume.last_checkpoint import LastCheckpoint
from colorize.training.resume.stop import Stopped

__all__ = ["LastCheckpoint", "Stopped"]
