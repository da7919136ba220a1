"""What distinguishes several runs: their floors, the settings that vary, and short labels."""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from colorize.compare.runs import Run

T = TypeVar("T")
CHOICES = ("experiment", "model", "data")
# Settings that say where something lies or how a run is started, not what it is.
PLACES = (
    "hydra",
    "sweep",
    "launcher",
    "logger",
    "cache_dir",
    "data.cache_dir",
    "run_dir",
    "trainer.enable_",
    "debug",
    "resume",
)


def by_floor(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs that were measured, together if they share their floor: the same test pictures and kind of task."""
    return group([run for run in runs if run.metrics], _same_floor)


def group(items: Iterable[T], alike: Callable[[T, T], bool]) -> list[list[T]]:
    """The items in groups of those that are like the group's first."""
    groups: list[list[T]] = []
    for item in items:
        for others in groups:
            if alike(others[0], item):
                others.append(item)
                break
        else:
            groups.append([item])
    return groups


def _same_floor(first: Run, second: Run) -> bool:
    a, b = ({"n_images": run.metrics.get("n_images"), **run.values("floor/")} for run in (first, second))
    of_color = "colorfulness_ratio"
    return (of_color in a) == (of_color in b) and all(
        math.isclose(a[name] or 0, b[name] or 0, rel_tol=1e-3, abs_tol=1e-3 if "colorfulness" in name else 0)
        for name in a.keys() & b.keys()
    )


def varied(runs: Sequence[Run]) -> list[str]:
    """The groups and keys that are not the same in all runs, of those that some command line gave.

    Keys that only say where something lies do not count: a folder of pictures does if it changes the floor, a
    checkpoint if it is only evaluated. Without `.hydra` folders every key of the configuration counts.
    """
    known = all(run.overrides is not None for run in runs)
    keys = dict.fromkeys(CHOICES)
    for run in runs:
        keys |= dict.fromkeys((run.overrides or {}) if known else run.config)
    if not any(run.value("fit") == "false" for run in runs):
        keys.pop("ckpt_path", None)
    if len(by_floor(runs)) < 2:
        keys.pop("data.root", None)
    different = [key for key in keys if not key.startswith(PLACES) and len({run.value(key) for run in runs}) > 1]
    if "experiment" in different and all(run.value("experiment") for run in runs):
        different = [key for key in different if key != "model"]  # the experiment says it
    return sorted(different, key=lambda key: (key not in CHOICES, key == "seed"))


def names(runs: Sequence[Run]) -> list[str]:
    """The name of each run's folder, or, where two are called the same, its path from where they differ."""
    short = [run.folder.name for run in runs]
    if len(set(short)) == len(runs):
        return short
    base = os.path.commonpath([run.folder.parent for run in runs])
    return [run.folder.relative_to(base).as_posix() for run in runs]


def labels(runs: Sequence[Run]) -> list[list[str]]:
    """A few short lines for each run: its settings, and its name too where those are not enough."""
    keys = varied(runs)
    found = [[_setting(key, value, keys) for key in keys if (value := run.value(key)) is not None] for run in runs]
    if len({tuple(lines) for lines in found}) < len(runs) or [] in found:
        return [[name, *lines] for name, lines in zip(names(runs), found, strict=True)]
    return found


def _setting(key: str, value: str, keys: Sequence[str]) -> str:
    if key in CHOICES:
        return value
    last = key.rpartition(".")[2]
    if sum(other.rpartition(".")[2] == last for other in keys) > 1:
        last = ".".join(key.split(".")[-2:])
    with suppress(ValueError):
        value = value if value.isdecimal() else f"{float(value):.3g}"
    return f"{last}={value if len(value) <= 24 else f'…{value[-23:]}'}"
