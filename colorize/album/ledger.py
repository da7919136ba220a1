"""`report.csv`: a row for each photograph, shared by the ranks and kept from one start to the next."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from filelock import FileLock

from colorize.errors import ColorizeError
from colorize.files import write_whole


@dataclass(frozen=True)
class LedgerRow:
    """One row. status: done, kept (the picture was there), colored (already in colour, copied) or failed."""

    file: str
    status: str
    output: str
    seconds: float
    message: str


COLUMNS = [field.name for field in fields(LedgerRow)]


class Ledger:
    """The ledger of a folder of pictures: rows are appended as photographs are finished; the latest of each counts.

    UTF-8; bytes of names that are not are written as backslash escapes. A row that a killed process left half
    written is dropped, and its photograph is done again.

    Raises:
        ColorizeError: it cannot be written, or there is a `report.csv` of another program.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "report.csv"
        self._lock = FileLock(folder / ".report.csv.lock")
        with self._write_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self.earlier = self._tidy()

    def status(self, file: Path) -> str | None:
        """How the photograph ended in an earlier start; None when the ledger does not know it."""
        row = self.earlier.get(_plain(str(file)))
        return None if row is None else row.status

    def add(self, result: LedgerRow) -> None:
        """Append one whole row."""
        with self._write_errors(), self._lock, self.path.open("ab") as file:
            file.write(_encode([result]))

    def close(self) -> None:
        """Leave the latest row of each photograph, by name. For one process, when all have ended."""
        with self._write_errors():
            self._tidy()
            Path(self._lock.lock_file).unlink(missing_ok=True)

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ColorizeError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def _tidy(self) -> dict[str, LedgerRow]:
        with self._lock:
            data = self.path.read_bytes() if self.path.exists() else b""
            rows = {row.file: row for row in self._parse(data)}
            tidy = _encode([COLUMNS]) + _encode(rows[file] for file in sorted(rows))
            if tidy != data:
                write_whole(self.path, tidy)
        return rows

    def _parse(self, data: bytes) -> list[LedgerRow]:
        rows = _ledger_rows(data)
        if rows is None:
            raise ColorizeError(
                f"{self.path} is not the report of an album: move it away, or give another output folder."
            )
        return rows


def read_ledger(folder: Path) -> list[LedgerRow]:
    """The rows of a folder's ledger, to look at; none where it has none that can be read."""
    try:
        return _ledger_rows((folder / "report.csv").read_bytes()) or []
    except OSError:
        return []


def _ledger_rows(data: bytes) -> list[LedgerRow] | None:
    """None for the `report.csv` of another program."""
    rows = _complete_rows(data.decode("utf-8", "backslashreplace"))
    if data and rows[:1] != [COLUMNS]:
        return None
    return [LedgerRow(row[0], row[1], row[2], _number(row[3]), row[4]) for row in rows[1:] if len(row) == len(COLUMNS)]


def _complete_rows(text: str) -> list[list[str]]:
    """The rows that were written to their end."""
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            rows.append(row)
    except csv.Error:  # the last one stops within quotes
        return rows
    return rows if text.endswith("\n") else rows[:-1]


def _encode(rows: Iterable[LedgerRow | list[str]]) -> bytes:
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        values = row if isinstance(row, list) else astuple(row)
        # Python 3.11 writes a carriage return without quotes, and ends the row there when it reads it
        (quoted if any("\r" in str(value) for value in values) else plain).writerow(values)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
