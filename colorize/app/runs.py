"""Finished runs for looking at: their pictures, figures and best checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize.compare.comparison import compare
from colorize.compare.labels import labels, names
from colorize.compare.runs import Run
from colorize.errors import ColorizeError, ImageError
from colorize.images import read_rgb, write_photograph


@dataclass(frozen=True)
class RunView:
    """What the page shows of a run.

    Attributes:
        about: what distinguishes it, how it ended, and its figures beside those of its floor, in Markdown.
        curves, samples: copies of its pictures, if it has them.
        checkpoint: its best, if it has one.
    """

    about: str
    curves: Path | None
    samples: Path | None
    checkpoint: Path | None


@dataclass(frozen=True)
class Runs:
    """Runs, at least one, by their names, and their comparison as Markdown and as a picture."""

    views: dict[str, RunView]
    comparison: str
    picture: Path

    @property
    def checkpoints(self) -> dict[str, Path]:
        """By the names of those that have one."""
        return {name: view.checkpoint for name, view in self.views.items() if view.checkpoint is not None}


def open_runs(folders: Sequence[Path], place: Path) -> Runs:
    """The runs in folders, each of which is a run's or holds some.

    Args:
        folders: of runs and sweeps; nothing is written to them.
        place: a folder for copies of their pictures, and for the files of the comparison.

    Raises:
        ColorizeError: a folder that is neither.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ColorizeError(f"{folder} is no folder: give the folder of a run or of a sweep.")
    runs = compare(folders, place)
    views = {
        f"run {name}": _view(run, lines, place / str(number))
        for number, (run, name, lines) in enumerate(zip(runs, names(runs), labels(runs), strict=True))
    }
    return Runs(views, (place / "comparison.md").read_text(encoding="utf-8"), place / "comparison.png")


def _view(run: Run, lines: Sequence[str], place: Path) -> RunView:
    about = [f"**{' '.join(lines)}**: {run.status}"]
    copies: dict[str, Path | None] = {"curves": None, "samples": None}
    for name in copies:
        try:
            copies[name] = _copy(run.folder / f"{name}.png", place)
        except ImageError as error:
            about.append(str(error))
    checkpoint = run.folder / "checkpoints/best.ckpt"
    about.append(_figures(run))
    return RunView(
        "\n\n".join(about), copies["curves"], copies["samples"], checkpoint if checkpoint.is_file() else None
    )


def _copy(picture: Path, place: Path) -> Path:
    """A copy of nothing but the pixels: the file may be anything, or a link to it."""
    pixels = read_rgb(picture)
    place.mkdir(exist_ok=True)
    write_photograph(place / picture.name, pixels)
    return place / picture.name


def _figures(run: Run) -> str:
    tests, floors = run.values("test/"), run.values("floor/")
    if not tests:
        return ""
    rows = [f"| {name} | {_number(value)} | {_number(floors.get(name))} |" for name, value in sorted(tests.items())]
    return "\n".join(["| of its test pictures | run | floor |", "|---|---|---|", *rows])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
