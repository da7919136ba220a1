"""A folder for each run, and for each sweep, of its own, and the name of a run."""

import re
import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write

from colorize.cli.quoting import quote


class OwnFolder(Callback):
    """Makes the folder of a run or sweep whose name says when it began, as NAME_2 if another start made NAME first.

    Any other name was chosen, by the user or by Lightning for a further rank of a run: that folder may be there. With
    resume=true a run takes the newest folder of a run of the same command.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._claim(config, "run")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._claim(config, "sweep")

    def _claim(self, config: DictConfig, kind: str) -> None:
        settings = config.hydra[kind]
        HydraConfig.instance().set_config(config)  # for the ${hydra:...} in the name
        try:
            if "${now:" not in str(OmegaConf.to_container(settings, resolve=False)):
                Path(settings.dir).mkdir(parents=True, exist_ok=True)  # as Hydra would, with a traceback
                return
            resumed = newest_of_same_command(config) if kind == "run" and OmegaConf.select(config, "resume") else None
            folder = str(resumed or make_folder(Path(settings.dir)))
        except OSError as error:
            sys.exit(f"error: no folder can be made for this {kind}: {error}. Give one: hydra.{kind}.dir=FOLDER.")
        with read_write(config.hydra):
            settings.dir = folder
            if kind == "sweep":  # each job is composed anew
                config.hydra.overrides.hydra.append(f"hydra.sweep.dir={quote(folder)}")


def newest_of_same_command(config: DictConfig) -> Path | None:
    """The newest folder of a run with the overrides of `config`, but for `resume`, of those named by their time."""
    pattern = str(OmegaConf.to_container(config.hydra.run, resolve=False)["dir"])  # type: ignore[index, call-overload]
    depth = pattern.partition("${now:")[2].count("/") + 1
    records = Path(config.hydra.run.dir).parents[depth - 1].glob("*/" * depth + ".hydra/overrides.yaml")
    wanted = without_resume(config.hydra.overrides.task)
    for record in sorted(records, reverse=True):
        if without_resume(OmegaConf.load(record)) == wanted:
            return record.parents[1]
    return None


def without_resume(overrides: Any) -> list[str]:
    return sorted(str(word) for word in overrides if not str(word).startswith("resume="))


def make_folder(path: Path) -> Path:
    """Make the folder `path`, or the first of path_2, path_3 ... that was not there; of two callers each gets one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own, number = path, 1
    while True:
        try:
            own.mkdir()
        except FileExistsError:
            number += 1
            own = path.with_name(f"{path.name}_{number}")
        else:
            return own


def run_name(fit: bool, ckpt_path: str | None, init_from: str | None, model: str, data: str) -> str:
    """MODEL_DATA of a training; evaluate_RUN_on_DATA of an evaluation, after the run or weights that it is of."""
    source = ckpt_path or init_from
    if fit or source is None:
        return f"{model}_{data}"
    path = Path(str(source))
    evaluated = path.absolute().parent.parent.name if path.parent.name == "checkpoints" else path.stem
    return f"evaluate_{re.sub(r'[^A-Za-z0-9._-]', '_', evaluated)}_on_{data}"


OmegaConf.register_new_resolver("run_name", run_name, replace=True)
