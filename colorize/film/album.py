"""The films of an album: one after another, each with its progress, and a row in the ledger."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from colorize.album.faults import full_disk, is_full, reason
from colorize.album.ledger import Ledger, LedgerRow
from colorize.album.outcome import Outcome
from colorize.album.plan import Job, Plan
from colorize.album.share import KEPT
from colorize.album.stop import Stop, StoppedError
from colorize.errors import ColorizeError, on_one_line
from colorize.files import is_file
from colorize.film.codecs import check_crf, choose_codec
from colorize.film.make import Progress, make_film
from colorize.film.settings import FilmSettings
from colorize.inference.colorizer import Colorizer
from colorize.progress import in_lines


class FilmAlbum:
    """The films of a plan.

    Args:
        plan: whose films are to be made.
        cfg: the composed configuration.
        threads: each film is read, coloured and encoded with.

    Raises:
        ColorizeError: a setting that is not possible, for one of the films at least.
    """

    def __init__(self, plan: Plan, cfg: Mapping[str, Any], threads: int) -> None:
        self._plan = plan
        self._threads = threads
        self._settings = FilmSettings.from_config(cfg)
        for job in plan.films:
            check_crf(choose_codec(self._settings.codec, job.output.suffix.lower()), self._settings.crf)
        os.environ.setdefault("SVT_LOG", "1")  # errors only

    def color(self, colorizer: Colorizer, outcome: Outcome, stop: Stop) -> None:
        """Make those that are not there yet, and add what became of them to the outcome.

        Args:
            colorizer: gives the colours.
            outcome: of the photographs of the same album.
            stop: whether the user wants it to end.

        Raises:
            ColorizeError: weights that take colour away, or a ledger that cannot be written.
        """
        if colorizer.at_full_size:
            raise ColorizeError("These weights take colour away and are for photographs: use others for films.")
        outcome.total += len(self._plan.films)
        ledger = Ledger(self._plan.folder) if self._plan.folder is not None else None
        for job in self._plan.films:
            if stop.asked or outcome.disk_full is not None:
                break
            if is_file(job.output) and not self._settings.overwrite:
                row = LedgerRow(str(job.file), "kept", str(job.output), 0.0, KEPT)
                if ledger is not None and ledger.status(job.file) not in (None, "failed"):
                    outcome.add(row)
                    continue
            else:
                made = self._make(job, colorizer, outcome, stop)
                if made is None:
                    break
                row = made
            outcome.add(row)
            if ledger is not None:
                ledger.add(row)
        outcome.stopped |= stop.asked
        if ledger is not None:
            ledger.close()

    def _make(self, job: Job, colorizer: Colorizer, outcome: Outcome, stop: Stop) -> LedgerRow | None:
        """None when it was stopped or the disk is full: its segments wait for the next start."""
        started = time.perf_counter()
        status, message = "done", ""
        bar = in_lines(tqdm(desc=on_one_line(job.file.name), unit=" frames", dynamic_ncols=True))

        def begun(done: int, total: int | None) -> None:
            bar.reset(total)
            bar.initial = bar.n = done
            bar.refresh()

        try:
            with bar:
                job.output.parent.mkdir(parents=True, exist_ok=True)
                notes = make_film(
                    job.file,
                    job.output,
                    colorizer,
                    self._settings,
                    self._threads,
                    Progress(begun, bar.update, lambda: stop.asked),
                )
            message = "; ".join(notes)
            if message:
                print(f"note: {on_one_line(f'{job.file}: {message}')}", file=sys.stderr)
        except StoppedError:
            return None
        except Exception as error:  # of one film; the others go on
            if is_full(error):
                outcome.disk_full = full_disk(job.output.parent)
                return None
            status, message = "failed", reason(job.file, error)
        return LedgerRow(str(job.file), status, str(job.output), round(time.perf_counter() - started, 3), message)
