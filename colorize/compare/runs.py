"""Finished and failed runs, read from what their folders hold."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from colorize.errors import ColorizeError, first_line

UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, YAMLError, OmegaConfBaseException)


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
            content = {**json.loads(path.read_text(encoding="utf-8"))}  # an object, nothing else
            if (path := folder / "test_samples.npz").is_file():
                samples = _samples(path)
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


def _samples(path: Path) -> dict[str, np.ndarray]:
    """The pictures of `test_samples.npz`.

    Raises:
        ValueError, KeyError: they are not of one shape, or some are not there; or as `numpy.load`.
    """
    with np.load(path, allow_pickle=False) as archive:
        samples = dict(archive)
    if len({samples[name].shape for name in ("input", "prediction", "truth")}) > 1:
        raise ValueError("its pictures are not of one shape")
    return samples


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
