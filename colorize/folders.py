"""Photographs in, pictures out: which file becomes which, and a report of how it went."""

import csv
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from colorize.colorizer import Colorizer
from colorize.errors import ColorizeError, ImageError
from colorize.images import WRITABLE, find_photographs, write_image


@dataclass(frozen=True)
class Result:
    """One line of `report.csv`; status is done, kept (the output was there already) or failed."""

    file: str
    status: str
    output: str
    seconds: float
    message: str


def plan(source: Path, output: Path) -> list[tuple[Path, Path]]:
    """(photograph, picture to write) for a photograph, or for every one below a folder, in the same tree.

    The picture keeps the photograph's name and format; formats that cannot be written become PNG.

    Raises:
        ColorizeError: nothing to do, a picture that would replace its photograph, or two that would be one file.
    """
    if not source.exists():
        raise ColorizeError(f"input={source} does not exist: give a photograph or a folder of photographs.")
    root = source.parent if source.is_file() else source
    files = [source] if source.is_file() else find_photographs(source)
    jobs: dict[Path, Path] = {}
    for file in files:
        suffix = file.suffix if file.suffix.lower() in WRITABLE else ".png"
        target = output / file.relative_to(root).with_suffix(suffix)
        if target in jobs:
            raise ColorizeError(f"{jobs[target]} and {file} would both be written to {target}: rename one of them.")
        if target.resolve() == file.resolve():
            raise ColorizeError(f"output={output} would write over {file}: give another folder.")
        jobs[target] = file
    return [(file, target) for target, file in jobs.items()]


def process(colorizer: Colorizer, jobs: Iterable[tuple[Path, Path]], overwrite: bool = False) -> Iterator[Result]:
    """Colorize each photograph into its picture; one that cannot be read or written is told and the rest goes on."""
    for file, target in jobs:
        started = time.perf_counter()
        status, message = "done", ""
        if target.exists() and not overwrite:
            status, message = "kept", "the output exists; overwrite=true replaces it"
        else:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_image(target, colorizer.colorize(file))
            except (ImageError, OSError) as error:
                status, message = "failed", str(error)
        yield Result(str(file), status, str(target), round(time.perf_counter() - started, 3), message)


def write_report(path: Path, results: Iterable[Result]) -> list[Result]:
    """Write each result into a CSV as it comes, and return them all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = []
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Result)])
        writer.writeheader()
        for result in results:
            writer.writerow(asdict(result))
            file.flush()
            seen.append(result)
    return seen
