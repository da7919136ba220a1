"""What a network is shown and what it predicts: plain tensors, no Lightning.

Any imported subclass of `Target` is found by its name.
"""

from collections.abc import Mapping
from typing import Any

from colorize.registry import build, imported_subclasses
from colorize.targets.base import Batch, Target
from colorize.targets.bins import LabBinsTarget, LabHybridTarget
from colorize.targets.grayscale import GrayscaleTarget
from colorize.targets.lab import LabTarget
from colorize.targets.rgb import ReconstructionTarget, RGBTarget

__all__ = [
    "Batch",
    "GrayscaleTarget",
    "LabBinsTarget",
    "LabHybridTarget",
    "LabTarget",
    "RGBTarget",
    "ReconstructionTarget",
    "Target",
    "build_target",
]


def build_target(spec: Mapping[str, Any]) -> Target:
    """A target from what its `describe` returned, e.g. `{"name": "LabTarget", "luminance": "gray"}`.

    Raises:
        ColorizeError: no such target, or fields that it refuses.
    """
    return build("target", imported_subclasses(Target), spec)
