"""The weights that the page offers, each loaded when it is first asked for."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from colorize.inference.colorizer import Colorizer
from colorize.registry import explain_unknown
from colorize.errors import ColorizeError
from colorize.targets import LabBinsTarget
from colorize.weights.shipped import shipped

MOST_LOADED = 4


class Choices:
    """Weights by the names that the page shows; a visitor gives one of these, or a file that was sent to the page.

    Args:
        runs: checkpoints of the runs that the page was opened for, by name.
        device, precision: as those of `Colorizer.load`.
    """

    def __init__(self, runs: Mapping[str, Path], device: str = "auto", precision: str = "auto") -> None:
        self._files = {**runs, **shipped()}
        self._device, self._precision = device, precision
        self._loaded: OrderedDict[Path, Colorizer] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        return list(self._files)

    def load(self, name: str, file: Path | None = None) -> Colorizer:
        """The colorizer of a name, or of an uploaded file.

        Raises:
            ColorizeError: an unknown name, or a file that is no weights of ours.
        """
        path = file or self._files.get(name)
        if path is None:
            raise ColorizeError(explain_unknown("weights", name, self.names))
        with self._lock:
            colorizer = self._loaded.pop(path, None) or Colorizer.load(path, self._device, self._precision)
            self._loaded[path] = colorizer
            while len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        return colorizer


def has_distribution(colorizer: Colorizer) -> bool:
    """Whether there are other colourings and a map of uncertainty."""
    return isinstance(colorizer.target, LabBinsTarget)
