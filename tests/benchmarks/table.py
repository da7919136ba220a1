"""Rows of a benchmark: printed as a table, and written as JSON where that is asked for."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def parser(description: str | None) -> argparse.ArgumentParser:
    """With --json, which every benchmark that `python -m tests.benchmarks` runs has."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, help="where the rows are written")
    return made


def report(rows: Sequence[Row], path: Path | None) -> None:
    """Print rows that have the same keys, and write them."""
    lines = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    if path is not None:
        path.write_text(json.dumps(list(rows), indent=1) + "\n")


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
