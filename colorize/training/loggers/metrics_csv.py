"""metrics.csv: everything a run logs, a row for each time it does."""

import csv
import io
import logging
import os
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.csv_logs import _ExperimentWriter
from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError, first_line
from colorize.files import write_whole
from colorize.weights.checkpoint import read_checkpoint

log = logging.getLogger(__name__)


class MetricsCSV(CSVLogger):
    """Lightning's CSVLogger, which also goes on with the metrics.csv that it finds where that belongs to the run.

    A training that resumes keeps the rows that were written before its checkpoint: those after it are trained again.
    (last.ckpt says how many those are; of another checkpoint it follows from their steps.) An evaluation keeps them
    all, and a training from the start none.

    Args:
        save_dir: the run's folder.
        fit: whether the run trains.
        ckpt_path: the checkpoint that it resumes from or evaluates.

    Raises:
        ColorizeError: the metrics.csv to go on with cannot be read, or as `read_checkpoint`.
    """

    def __init__(self, save_dir: str, fit: bool = True, ckpt_path: str | None = None) -> None:
        super().__init__(save_dir, name="", version="")
        if fit:
            self._begin(Path(save_dir) / ExperimentWriter.NAME_METRICS_FILE, ckpt_path)

    @rank_zero_only
    def _begin(self, path: Path, ckpt_path: str | None) -> None:
        if not path.is_file():
            return
        if ckpt_path is None:
            log.warning("%s of an earlier training is replaced.", path)
            path.unlink()
            return
        checkpoint = read_checkpoint(Path(ckpt_path))
        rows = checkpoint.get("resume", {}).get("metrics_rows")
        is_of_this_run = Path(ckpt_path).absolute().parent.parent == path.parent.absolute()
        if rows is not None and is_of_this_run:
            keep_first_rows(path, rows)
        else:
            keep_rows_before(path, int(checkpoint["global_step"]))

    @rank_zero_only
    def sync(self) -> int:
        """Bring all rows to the disk, and return how many the file has."""
        self.save()
        assert isinstance(self.experiment, Appending)
        path = Path(self.experiment.metrics_file_path)
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        return self.experiment.rows

    @property
    @rank_zero_experiment
    def experiment(self) -> _ExperimentWriter:
        """The writer of the file, on rank zero."""
        if self._experiment is None:
            self._experiment = Appending(self.log_dir)
        return self._experiment


class Appending(ExperimentWriter):
    """A writer that adds rows to the file it finds, where Lightning's deletes it; no row is lost at a new column.

    Attributes:
        rows: how many the file has.
    """

    rows = 0

    def save(self) -> None:
        new = len(self.metrics)
        super().save()
        self.rows += new

    def _check_log_dir_exists(self) -> None:
        path = Path(self.metrics_file_path)
        if path.is_file():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)  # without a last row that was not written to its end
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                self.rows = sum(1 for _ in reader)
            self.metrics_keys = list(reader.fieldnames or [])

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        path = Path(self.metrics_file_path)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        write_rows(path, fieldnames, rows)


def keep_rows_before(path: Path, step: int) -> None:
    """Drop the first row of step `step` or later from a metrics.csv, and all after it, which were written later.

    A last row that was not written to its end is dropped too. (The rows of a test are of step 0, whenever it was.)

    Raises:
        ColorizeError: the file cannot be read as a metrics.csv.
    """
    fieldnames, rows = read_rows(path)
    try:
        later = next((number for number, row in enumerate(rows) if int(row["step"]) >= step), len(rows))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, first_line(error)) from error
    if later < len(rows):
        log.info("%s: %d rows from step %s on are dropped: they are trained again.", path, len(rows) - later, step)
    write_rows(path, sorted(fieldnames), rows[:later])  # the order in which Lightning adds columns


def keep_first_rows(path: Path, count: int) -> None:
    """Drop all rows of a metrics.csv but the first `count`.

    Raises:
        ColorizeError: the file cannot be read as a metrics.csv, or has fewer rows.
    """
    fieldnames, rows = read_rows(path)
    if len(rows) < count:
        raise _damaged(path, f"it has {len(rows)} of the {count} rows that were written before the checkpoint")
    if count < len(rows):
        log.info("%s: its last %d rows are dropped: they are trained again.", path, len(rows) - count)
    write_rows(path, sorted(fieldnames), rows[:count])


def read_rows(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns and rows of a metrics.csv, without a last row that was not written to its end.

    Raises:
        ColorizeError: the file cannot be read as a metrics.csv.
    """
    try:
        text = path.read_text(encoding="utf-8")
        reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
        return list(reader.fieldnames or []), list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path, first_line(error)) from error


def write_rows(path: Path, fieldnames: list[str], rows: list[dict[str, Any]]) -> None:
    """Write a metrics.csv, whole or not at all."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames)
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, out.getvalue().encode())


def _damaged(path: Path, reason: str) -> ColorizeError:
    return ColorizeError(f"{path} is damaged ({reason}): move it away to resume here.")
