"""What a user can say about the pictures, checked before anything is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from colorize.album.plan import SUFFIXES_OF_FORMAT
from colorize.cores import usable_cores
from colorize.errors import ColorizeError
from colorize.inference.colors import HIGHEST_TEMPERATURE

MOST_SAMPLES = 16


@dataclass(frozen=True)
class Settings:
    """The keys of `conf/predict.yaml` that say how photographs become pictures."""

    format: str | None = None
    quality: int = 96
    saturation: float = 1.0
    tta: bool = True
    keep_color: bool = False
    side_by_side: bool = False
    temperature: float | None = None
    samples: int = 0
    uncertainty: bool = False
    overwrite: bool = False
    max_megapixels: float = 200
    batch_size: int = 8
    num_threads: int | None = None

    @classmethod
    def from_config(cls, cfg: Mapping[str, Any]) -> "Settings":
        """The settings of a composed configuration.

        Raises:
            ColorizeError: a value that is not possible; the sentence names the key, the value and what is.
        """
        values = {field.name: cfg[field.name] for field in fields(cls)}
        for name, value in values.items():
            possible, words = _POSSIBLE.get(name, _BOOLEAN)
            if not possible(value):
                raise ColorizeError(f"{name}={value} is not possible: give {words}.")
        strategy = cfg["trainer"]["strategy"]
        if strategy not in ("auto", "ddp"):
            raise ColorizeError(f"trainer.strategy={strategy} is not possible: give ddp, or auto, which chooses it.")
        return cls(**values)

    def threads(self, processes: int = 1) -> int:
        """How many threads each of the processes that share this machine has."""
        return self.num_threads or max(1, usable_cores() // processes)


def _whole(low: int, high: float = float("inf")) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


_BOOLEAN: tuple[Callable[[Any], bool], str] = (lambda value: type(value) is bool, "true or false")
_POSSIBLE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "format": (
        lambda value: value is None or value in SUFFIXES_OF_FORMAT,
        f"{', '.join(SUFFIXES_OF_FORMAT)}, or null for the photograph's",
    ),
    "quality": (_whole(1, 100), "a whole number from 1 to 100"),
    "saturation": (_number, "a number from 0, which is gray; 1 is what the network says"),
    "temperature": (
        lambda value: value is None or (_number(value) and 0 < value <= HIGHEST_TEMPERATURE),
        f"a number above 0 and at most {HIGHEST_TEMPERATURE:g}, or null for the weights' own",
    ),
    "samples": (_whole(0, MOST_SAMPLES), f"a whole number from 0 to {MOST_SAMPLES}"),
    "max_megapixels": (lambda value: _number(value) and value > 0, "a number above 0"),
    "batch_size": (_whole(1), "a whole number from 1"),
    "num_threads": (lambda value: value is None or _whole(1)(value), "a whole number from 1, or null for one per CPU"),
}
