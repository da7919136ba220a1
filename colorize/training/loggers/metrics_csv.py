"""metrics.csv: everything a run logs, a row for each time it does."""

import csv
import io
import logging
from pathlib import Path

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
    An evaluation keeps them all, and a training from the start none.

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
        else:
            keep_rows_before(path, int(read_checkpoint(Path(ckpt_path))["global_step"]))

    @property
    @rank_zero_experiment
    def experiment(self) -> _ExperimentWriter:
        """The writer of the file, on rank zero."""
        if self._experiment is None:
            self._experiment = Appending(self.log_dir)
        return self._experiment


class Appending(ExperimentWriter):
    """A writer that adds rows to the file it finds, where Lightning's deletes it."""

    def _check_log_dir_exists(self) -> None:
        path = Path(self.metrics_file_path)
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                self.metrics_keys = next(csv.reader(file), [])


def keep_rows_before(path: Path, step: int) -> None:
    """Drop the first row of step `step` or later from a metrics.csv, and all after it, which were written later.

    A last row that was not written to its end is dropped too. (The rows of a test are of step 0, whenever it was.)

    Raises:
        ColorizeError: the file cannot be read as a metrics.csv.
    """
    try:
        text = path.read_text(encoding="utf-8")
        reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
        rows = list(reader)
        later = next((number for number, row in enumerate(rows) if int(row["step"]) >= step), len(rows))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ColorizeError(f"{path} is damaged ({first_line(error)}): move it away to resume here.") from error
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, sorted(reader.fieldnames or []))  # the order in which Lightning adds rows
    writer.writeheader()
    writer.writerows(rows[:later])
    write_whole(path, out.getvalue().encode())
    if later < len(rows):
        log.info("%s: %d rows from step %s on are dropped: they are trained again.", path, len(rows) - later, step)
