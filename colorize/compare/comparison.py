"""The files of a comparison."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from colorize.compare.labels import labels
from colorize.compare.picture import Entry, draw
from colorize.compare.runs import Run, find_runs
from colorize.compare.table import floors, markdown, over_seeds, table
from colorize.errors import on_one_line
from colorize.files import write_whole


def compare(folders: Sequence[Path], output: Path) -> list[Run]:
    """Write `comparison.csv`, `comparison.md` and `comparison.png` of the runs in `folders` into `output`.

    Raises:
        ColorizeError: as `find_runs`.
    """
    runs = find_runs(folders)
    columns, rows = table(runs)
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "comparison.csv", _encoded(text.getvalue()))
    tables = markdown(columns, rows)
    columns, rows = over_seeds(runs)
    if rows:
        tables += f"\nMean ± standard deviation over seeds:\n\n{markdown(columns, rows)}"
    write_whole(output / "comparison.md", _encoded(tables))
    block = {run.folder: title for title, group in floors(runs).items() for run in group}
    entries = [
        Entry([*map(on_one_line, lines)], on_one_line(block.get(run.folder, "")), run.samples, run.metrics)
        for lines, run in zip(labels(runs), runs, strict=True)
    ]
    write_whole(output / "comparison.png", draw(entries))
    return runs


def _encoded(text: str) -> bytes:
    """UTF-8, with escapes where a name of a file is none."""
    return text.encode("utf-8", "backslashreplace")
