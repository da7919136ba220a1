"""A run as its folder tells it, and what tells several runs apart."""

import json
import math
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from yaml import YAMLError

from colorize.errors import ColorizeError, first_line

CHOICES = ("experiment", "model", "data")
# Settings that say where something lies or how a run is started, not what it is.
PLACES = ("hydra", "sweep", "launcher", "logger", "cache_dir", "data.cache_dir", "run_dir", "trainer.enable_", "debug")
UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, YAMLError)


@dataclass(frozen=True)
class Run:
    """A finished or failed run.

    `number` is its place in a sweep; `choices` are Hydra's of each group; `overrides` are None without a `.hydra`
    folder; `config` is flat, a dotted key to its value's text; `metrics` is the content of `metrics.json` and `samples`
    that of `test_samples.npz`, both empty if it failed, for which `error` is the reason.

    An evaluation (`fit=false`) has as its choice of a `model` the task and network of its checkpoint, and no override
    or experiment that says another.
    """

    folder: Path
    number: int
    choices: dict[str, str]
    overrides: dict[str, str] | None
    config: dict[str, str]
    metrics: dict[str, float | None]
    samples: dict[str, np.ndarray]
    error: str

    def value(self, key: str) -> str | None:
        """A group's choice, or what a key of the configuration is in the end."""
        return self.choices.get(key) or self.config.get(key) or (self.overrides or {}).get(key)

    def values(self, prefix: str) -> dict[str, float | None]:
        """The metrics whose names begin so, without that beginning."""
        return {name.removeprefix(prefix): value for name, value in self.metrics.items() if name.startswith(prefix)}

    @property
    def status(self) -> str:
        if self.error:
            return f"failed: {self.error}"
        return "done" if self.metrics else "not measured (trainer.fast_dev_run)"


def find_runs(folders: Iterable[Path]) -> list[Run]:
    """The runs in `folders`, each of which is a run's folder or holds some; those of a sweep in the order of its jobs.

    Raises:
        ColorizeError: a folder that is neither.
    """
    found: dict[Path, Run] = {}
    for folder in folders:
        here = {path.parent.parent for path in folder.rglob(".hydra/config.yaml")}
        here |= {path.parent for path in folder.rglob("config.yaml") if path.parent.name not in (".hydra", "files")}
        if not here:
            raise ColorizeError(f"{folder} is neither a run nor a sweep: there is no config.yaml in it or below.")
        runs = [read_run(path.resolve()) for path in sorted(here)]
        found |= {run.folder: run for run in sorted(runs, key=lambda run: (run.folder.parent, run.number))}
    return list(found.values())


def read_run(folder: Path) -> Run:
    """What the files of a run's folder tell; a run that has not finished, or left a damaged file, has an `error`."""
    choices: dict[str, str] = {}
    overrides: dict[str, str] | None = None
    config: dict[str, str] = {}
    number, error = 0, ""
    metrics: dict[str, float | None] = {}
    samples: dict[str, np.ndarray] = {}
    path = folder
    try:
        if (path := folder / ".hydra/hydra.yaml").is_file():
            hydra = _yaml(path)["hydra"]
            choices = {key: str(value) for key, value in hydra["runtime"]["choices"].items() if value is not None}
            number = hydra["job"].get("num", 0)
            number = number if isinstance(number, int) else 0
        if (path := folder / ".hydra/overrides.yaml").is_file():
            overrides = dict(_override(text) for text in _yaml(path))
        own = folder / "config.yaml"  # resolved, but a run that fails early has none
        config = _flat(_yaml(path := own if own.is_file() else folder / ".hydra/config.yaml"))
        if (path := folder / "error.txt").is_file():
            error = " ".join(path.read_text(encoding="utf-8").split()) or "it does not say why"
        elif (path := folder / "metrics.json").is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            if (path := folder / "test_samples.npz").is_file():
                with np.load(path, allow_pickle=False) as archive:
                    samples = dict(archive)
            metrics = content
        elif config.get("trainer.fast_dev_run", "false") == "false":
            error = "it has not finished"
    except (*UNREADABLE, AttributeError, KeyError, TypeError) as damage:
        error = f"{path.relative_to(folder)} is damaged: {first_line(damage)}"
    if config.get("fit") == "false":
        choices = {key: value for key, value in choices.items() if not _is_model(key)} | _evaluated(config)
        overrides = overrides and {key: value for key, value in overrides.items() if not _is_model(key)}
    base = config.get("run_dir", "")
    if base.startswith("/"):
        config = {key: value for key, value in config.items() if not value.startswith(base)}
    return Run(folder, number, choices, overrides, config, metrics, samples, error)


def _is_model(key: str) -> bool:
    return key in ("experiment", "model") or key.startswith("model.")


def _evaluated(config: Mapping[str, str]) -> dict[str, str]:
    """The choice of a model that the configuration of an evaluation, which is its checkpoint's, stands for."""
    task = config.get("model._target_", "").rpartition(".")[2]
    name = f"{task} {config.get('model.network.name', '')}".strip()
    return {"model": name} if name else {}


def _yaml(path: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path))


def _override(text: str) -> tuple[str, str]:
    key, _, value = text.lstrip("+~").partition("=")
    return key, "removed" if text.startswith("~") else value


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return flat


def by_floor(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs that were measured, together if they share their floor: the same test pictures and kind of task."""
    groups: list[list[Run]] = []
    for run in runs:
        if run.metrics:
            group = next((group for group in groups if _same_floor(group[0], run)), None)
            groups.append([run]) if group is None else group.append(run)
    return groups


def _same_floor(first: Run, second: Run) -> bool:
    a, b = ({"n_images": run.metrics.get("n_images"), **run.values("floor/")} for run in (first, second))
    return a.keys() == b.keys() and all(
        math.isclose(a[name] or 0, b[name] or 0, rel_tol=1e-3, abs_tol=1e-3 if "colorfulness" in name else 0)
        for name in a
    )


def varied(runs: Sequence[Run]) -> list[str]:
    """The groups and keys that are not the same in all runs, of those that some command line gave.

    Keys that only say where something lies do not count: a folder of pictures does if it changes the floor, a
    checkpoint if it is only evaluated. Without `.hydra` folders every key of the configuration counts.
    """
    known = all(run.overrides is not None for run in runs)
    keys = dict.fromkeys([*CHOICES, *(key for run in runs for key in (run.overrides or {} if known else run.config))])
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
    """What tells each run from the others, in a few short lines: settings if they do, else its name too."""
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
