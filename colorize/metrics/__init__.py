"""How near a coloured picture is to the truth: the metrics that tasks log, and their collections."""

from colorize.metrics.collection import PictureMetrics, color_metrics, gray_metrics, lab_metrics
from colorize.metrics.lab import DeltaE, OutOfGamut, PSNRab, SlicedWasserstein
from colorize.metrics.rgb import Colorfulness, ColorfulnessRatio, MSERatio

__all__ = [
    "Colorfulness",
    "ColorfulnessRatio",
    "DeltaE",
    "MSERatio",
    "OutOfGamut",
    "PSNRab",
    "PictureMetrics",
    "SlicedWasserstein",
    "color_metrics",
    "gray_metrics",
    "lab_metrics",
]
