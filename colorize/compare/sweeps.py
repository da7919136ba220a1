"""Multiruns: a job that fails does not stop the others, and at the end all are compared."""

import functools
import multiprocessing
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from colorize.cli.config import in_multirun
from colorize.cli.sentences import is_mistake, sentence
from colorize.compare.comparison import compare
from colorize.errors import ColorizeError, first_line
from colorize.files import write_whole

REFUSED = "refused.txt"  # tells `CompareRuns`, which removes it


def record_failure(job: Callable[[DictConfig], float | None]) -> Callable[[DictConfig], float | None]:
    """Decorates a job: in a multirun its failure is printed, kept in the run's `error.txt`, and ends this job only.

    A run that is finished stays so when another start in its folder is refused before it begins.
    """

    @functools.wraps(job)
    def wrapped(cfg: DictConfig) -> float | None:
        if not in_multirun():
            return job(cfg)
        if multiprocessing.get_start_method() == "loky":  # joblib's own, which the workers of a DataLoader cannot take
            multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
            threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
        folder = Path(HydraConfig.get().runtime.output_dir)
        finished = _finished(folder)
        (folder / "error.txt").unlink(missing_ok=True)
        try:
            return job(cfg)
        except Exception as error:
            if is_mistake(error):
                text = sentence(error)
            else:
                text = f"{type(error).__name__}: {first_line(error)}"
                traceback.print_exc()
            refused = finished is not None and _finished(folder) == finished
            write_whole(folder / (REFUSED if refused else "error.txt"), f"{text}\n".encode("utf-8", "backslashreplace"))
            sys.stderr.write(f"error: job {HydraConfig.get().job.num} failed: {text}\n")
            return None

    return wrapped


def _finished(folder: Path) -> int | None:
    """When the last start of a finished run began; None for one that is not."""
    done = all((folder / name).is_file() for name in ("metrics.json", "config.yaml"))
    return (folder / "config.yaml").stat().st_mtime_ns if done and not (folder / "error.txt").exists() else None


def end_with(parent: int) -> None:
    """End this process when its parent has ended: joblib's would train on, beside those of a start with resume=true."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def swept(config: DictConfig) -> set[str]:
    """The keys that the command line gives several values."""
    overrides = OverridesParser.create().parse_overrides(list(config.hydra.overrides.task))
    return {override.get_key_element() for override in overrides if override.is_sweep_override()}


def prepare_study(sweeper: DictConfig) -> None:
    """Makes the folder of Optuna's SQLite file, and prints what the study will do."""
    if sweeper.n_trials < 1:
        sys.exit(f"error: hydra.sweeper.n_trials is {sweeper.n_trials}, but must be at least 1.")
    url = sweeper.storage.url if isinstance(sweeper.storage, DictConfig) else str(sweeper.storage or "memory")
    if url.startswith("sqlite:///"):
        try:
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sys.exit(
                f"error: {url} cannot be made: {error}. Name another file: hydra.sweeper.storage.url=sqlite:///FILE."
            )
    print(f"Optuna: {sweeper.n_trials} trials, none of them pruned; the study is kept in {url}")


def check_trials(config: DictConfig) -> None:
    """Each start of a study draws other trials, and counts their folders from 0."""
    if OmegaConf.select(config, "resume"):
        sys.exit(
            "error: resume=true cannot go on with trials of Optuna, since each start draws others: leave it out, and "
            "the same command goes on with its study."
        )
    folder = Path(config.hydra.sweep.dir)
    if any(folder.glob("*/config.yaml")):
        sys.exit(
            f"error: {folder} holds trials that this start would overwrite: leave out hydra.sweep.dir, or name "
            "another; the study goes on in any folder."
        )


class CompareRuns(Callback):
    """Checks a multirun, and writes comparison.csv, comparison.md and comparison.png into its folder at the end.

    Raises:
        SystemExit: with code 1 when it cannot start or a run failed. (Hydra makes a warning of any other exception.)
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        choices = config.hydra.runtime.choices
        if choices["hydra/launcher"] == "submitit_slurm" and shutil.which("srun") is None:
            sys.exit("error: launcher=submitit finds no srun of Slurm here: start it on the cluster's login node.")
        unnamed = sorted(swept(config) - {"experiment", "data", "seed"})
        if "pretrained" in config and unnamed:
            sys.exit(
                f"error: sweep=autoencoders names its runs by experiment, data and seed: those that differ in "
                f"{unnamed[0]} would overwrite one another, so give each value of it a sweep of its own."
            )
        if choices["hydra/sweeper"] == "optuna":
            check_trials(config)
            prepare_study(config.hydra.sweeper)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        folder = Path(config.hydra.sweep.dir).absolute()
        try:
            runs = compare([folder], folder)
        except (ColorizeError, OSError) as error:
            sys.exit(f"error: the runs in {folder} cannot be compared: {first_line(error)}")
        print(f"comparison: {folder}/comparison.md, .csv and .png")
        refused = {path.parent.resolve() for path in folder.rglob(REFUSED)}
        for run in refused:
            (run / REFUSED).unlink()
        failed = [run.folder.name for run in runs if run.error or run.folder in refused]
        if failed:
            sys.exit(f"error: {len(failed)} of {len(runs)} runs failed: {', '.join(failed)}")
