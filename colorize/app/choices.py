"""The weights that the page offers, each loaded when it is first asked for."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.registry import explain_unknown
from colorize.targets import LabBinsTarget
from colorize.weights.shipped import DEFAULT, shipped

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
    def default(self) -> str:
        return DEFAULT

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


def describe(colorizer: Colorizer) -> list[str]:
    """What is known of weights, in sentences."""
    sentences = [f"{type(colorizer.network).__name__}, trained at {colorizer.working_size} pixels."]
    metrics = colorizer.facts.get("metrics")
    ratio = metrics.get("test/mse_ratio") if isinstance(metrics, Mapping) else None
    if isinstance(ratio, float):
        sentences.append(f"On its test pictures it has {ratio:.3f} of the error that gray has.")
    if colorizer.at_full_size:
        sentences.append("It takes colour away.")
    elif not has_distribution(colorizer):
        sentences.append("It knows one colouring of a photograph, and not how unsure that is.")
    return sentences
