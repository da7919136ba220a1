"""Finished and failed runs, read from what their folders hold."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from colorize.errors import ColorizeError, first_line

UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, YAMLError, OmegaConfBaseException)


@dataclass
class Run:
    """A finished or failed run.

    `number` is its place in a sweep; `choices` are Hydra's of each group; `overrides` are None without a `.hydra`
    folder; `config` is flat, a dotted key to its value's text; `metrics` is the content of `metrics.json` and `samples`
    that of `test_samples.npz`, both empty if it failed, for which `error` is the reason.

    An evaluation (`fit=false`) has as its choice of a `model` the task and network of its checkpoint, and no override
    or experiment that says another.
    """

    folder: Path
    number: int = 0
    choices: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] | None = None
    config: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    samples: dict[str, np.ndarray] = field(default_factory=dict)
    error: str = ""

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
    run = Run(folder)
    try:
        _read_files(run)
    except ColorizeError as damage:
        run.error = str(damage)
    if run.config.get("fit") == "false":
        run.choices = {key: value for key, value in run.choices.items() if not _is_model(key)} | _evaluated(run.config)
        run.overrides = run.overrides and {key: text for key, text in run.overrides.items() if not _is_model(key)}
    base = run.config.get("run_dir", "")
    if base.startswith("/"):
        run.config = {key: value for key, value in run.config.items() if not Path(value).is_relative_to(base)}
    return run


def _read_files(run: Run) -> None:
    """Raises a ColorizeError at the first damaged file; what was read before stays."""
    with _file(run, ".hydra/hydra.yaml") as path:
        if path.is_file():
            hydra = _yaml(path)["hydra"]
            run.choices = {key: str(value) for key, value in hydra["runtime"]["choices"].items() if value is not None}
            number = hydra["job"].get("num")
            run.number = number if isinstance(number, int) else 0
    with _file(run, ".hydra/overrides.yaml") as path:
        if path.is_file():
            run.overrides = dict(_override(text) for text in _yaml(path))
    is_resolved = (run.folder / "config.yaml").is_file()  # not where the run failed early
    with _file(run, "config.yaml" if is_resolved else ".hydra/config.yaml") as path:
        run.config = _flat(_yaml(path))
    with _file(run, "error.txt") as path:
        if path.is_file():
            run.error = " ".join(path.read_text(encoding="utf-8").split()) or "it does not say why"
            return
    with _file(run, "metrics.json") as path:
        if not path.is_file():
            has_none = run.config.get("trainer.fast_dev_run", "false") != "false"
            run.error = "" if has_none else "it has not finished"
            return
        metrics = {**json.loads(path.read_text(encoding="utf-8"))}  # an object, nothing else
    with _file(run, "test_samples.npz") as path:
        if path.is_file():
            run.samples = _samples(path)
    run.metrics = metrics


@contextmanager
def _file(run: Run, name: str) -> Iterator[Path]:
    """The path of a file, whose damage, found within, becomes a ColorizeError that names it."""
    try:
        yield run.folder / name
    except (*UNREADABLE, AttributeError, KeyError, TypeError) as damage:
        raise ColorizeError(f"{name} is damaged: {first_line(damage)}") from damage


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
    return key in ("experiment", "model") or key.startswith(("model.", "model/"))


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
