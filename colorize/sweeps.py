"""Multiruns: a job that fails does not stop the others, and at the end all are compared."""

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from colorize.cli import MISTAKES, sentence
from colorize.errors import ColorizeError, first_line
from colorize.files import write_whole
from colorize.report import compare


def others_go_on(job: Callable[[DictConfig], float | None]) -> Callable[[DictConfig], float | None]:
    """Decorates a job: in a multirun its failure is said, kept in the run's `error.txt`, and ends this job only."""

    @functools.wraps(job)
    def wrapped(cfg: DictConfig) -> float | None:
        if HydraConfig.get().mode != RunMode.MULTIRUN:
            return job(cfg)
        folder = Path(HydraConfig.get().runtime.output_dir)
        (folder / "error.txt").unlink(missing_ok=True)
        try:
            return job(cfg)
        except Exception as error:
            if isinstance(error, MISTAKES):
                text = sentence(error)
            else:
                text = f"{type(error).__name__}: {first_line(error)}"
                traceback.print_exc()
            write_whole(folder / "error.txt", f"{text}\n".encode())
            sys.stderr.write(f"error: job {HydraConfig.get().job.num} failed: {text}\n")
            return None

    return wrapped


class CompareRuns(Callback):
    """Writes comparison.csv, comparison.md and comparison.png into a multirun's folder.

    Raises:
        SystemExit: with code 1 when a run failed. (Hydra would turn any other exception into a warning.)
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        Path(config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)  # a sweeper may keep its study beside it

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        folder = Path(config.hydra.sweep.dir).absolute()
        try:
            runs = compare([folder], folder)
        except (ColorizeError, OSError) as error:
            sys.exit(f"error: the runs in {folder} cannot be compared: {first_line(error)}")
        print(f"comparison: {folder}/comparison.md, .csv and .png")
        failed = [run for run in runs if run.error]
        if failed:
            sys.exit(f"error: {len(failed)} of {len(runs)} runs failed: {', '.join(run.folder.name for run in failed)}")
