"""The painter of landscapes: a scene for every number, NumPy alone."""

from colorize.scenery.render import render_scenes

__all__ = ["render_scenes"]
