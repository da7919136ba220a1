"""Many runs, one comparison: python -m colorize.report RUN_OR_SWEEP..."""

import argparse
import csv
import io
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from colorize.errors import ColorizeError
from colorize.files import write_whole
from colorize.report_picture import draw

Cell = str | float | None
CHOICES = ("experiment", "model", "data")
# Settings that say where something lies, not what it is.
PLACES = ("hydra.", "data.root", "cache_dir", "ckpt_path", "run_dir", "trainer.enable_", "logger")
FACTS = ("parameters", "epochs", "seconds", "n_images")


@dataclass(frozen=True)
class Run:
    """A finished or failed run, as its folder tells it.

    `number` is its place in a sweep; `settings` are its Hydra choices and overrides; `metrics` is the content of
    `metrics.json`, empty if it failed; `samples` that of `test_samples.npz`.
    """

    folder: Path
    number: int
    settings: dict[str, str]
    metrics: dict[str, float | None]
    samples: dict[str, np.ndarray]
    error: str

    def values(self, prefix: str) -> dict[str, float | None]:
        return {name.removeprefix(prefix): value for name, value in self.metrics.items() if name.startswith(prefix)}


def find_runs(folders: Iterable[Path]) -> list[Run]:
    """The runs in `folders`, each of which is a run's folder or holds some; those of a sweep in the order of its jobs.

    Raises:
        ColorizeError: a folder that is neither.
    """
    found: dict[Path, Run] = {}
    for folder in folders:
        here = {path.parent.parent for path in folder.rglob(".hydra/config.yaml")}
        here |= {path.parent for path in folder.rglob("config.yaml") if path.parent.name not in (".hydra", "files")}
        if not here:
            raise ColorizeError(f"{folder} is neither a run nor a sweep: there is no config.yaml in it or below.")
        runs = [read_run(path) for path in sorted(here)]
        found |= {run.folder.resolve(): run for run in sorted(runs, key=lambda run: (run.folder.parent, run.number))}
    return list(found.values())


def read_run(folder: Path) -> Run:
    """What the files of a run's folder tell; a run without `metrics.json` has an `error`."""
    overrides = _yaml(folder / ".hydra/overrides.yaml") or []
    hydra = (_yaml(folder / ".hydra/hydra.yaml") or {}).get("hydra", {})
    choices, number = hydra.get("runtime", {}).get("choices", {}), hydra.get("job", {}).get("num")
    settings = {key: str(choices[key]) for key in CHOICES if choices.get(key) is not None}
    settings |= dict(override.lstrip("+").split("=", 1) for override in overrides if "=" in override)
    metrics, samples = folder / "metrics.json", folder / "test_samples.npz"
    error = folder / "error.txt"
    finished = metrics.is_file() and not error.is_file()
    reason = error.read_text(encoding="utf-8").strip() if error.is_file() else "it has not finished"
    arrays: dict[str, np.ndarray] = {}
    if finished and samples.is_file():
        with np.load(samples, allow_pickle=False) as archive:
            arrays = dict(archive)
    content = json.loads(metrics.read_text(encoding="utf-8")) if finished else {}
    number = number if isinstance(number, int) else 0
    return Run(folder, number, settings, content, arrays, "" if finished else reason)


def _yaml(path: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path)) if path.is_file() else None


def varied(runs: Sequence[Run]) -> list[str]:
    """The settings that are not the same in all runs; those that only say where something lies do not count."""
    keys = dict.fromkeys(key for run in runs for key in run.settings if not key.startswith(PLACES))
    different = [key for key in keys if len({run.settings.get(key) for run in runs}) > 1]
    if "experiment" in different and all("experiment" in run.settings for run in runs):
        different = [key for key in different if key != "model"]  # the experiment says it
    return sorted(different, key=lambda key: (key not in CHOICES, key == "seed"))


def label(run: Run, keys: Sequence[str]) -> str:
    """What tells the run from the others, in few words."""
    parts = []
    for key in keys:
        if key in run.settings:
            value = run.settings[key]
            parts.append(value if key in CHOICES else f"{key.rpartition('.')[2]}={value}")
    return " ".join(parts) or run.folder.name


def floors(runs: Sequence[Run]) -> dict[str, Run]:
    """One run for each floor there is: runs of the same data and kind of task share theirs."""
    found: dict[tuple[object, ...], Run] = {}
    for run in runs:
        if run.metrics:
            values = sorted(run.values("floor/").items())
            found.setdefault(tuple((name, value and float(f"{value:.4g}")) for name, value in values), run)
    if len(found) == 1:
        return {"floor": next(iter(found.values()))}
    return {f"floor of {run.settings.get('data', '')} as in {run.folder.name}": run for run in found.values()}


def table(runs: Sequence[Run]) -> tuple[list[str], list[list[Cell]]]:
    """Column names and rows: each floor first, then each run; what a run does not have is None."""
    keys = varied(runs)
    names = list(dict.fromkeys(name for run in runs for name in sorted(run.values("test/"))))
    columns = ["run", *keys, "status", *FACTS, *names]
    rows: list[list[Cell]] = []
    for title, run in floors(runs).items():
        facts = [run.metrics["n_images"] if fact == "n_images" else None for fact in FACTS]
        floor = run.values("floor/")
        rows.append([title, *[None] * len(keys), "", *facts, *[floor.get(name) for name in names]])
    for run in runs:
        values = run.values("test/")
        status = f"failed: {run.error}" if run.error else "done"
        settings = [run.settings.get(key) for key in keys]
        facts = [run.metrics.get(fact) for fact in FACTS]
        rows.append([run.folder.name, *settings, status, *facts, *[values.get(name) for name in names]])
    return columns, rows


def over_seeds(runs: Sequence[Run]) -> tuple[list[str], list[list[Cell]]]:
    """Mean and standard deviation (of the sample) of runs that differ in their seed only."""
    keys = [key for key in varied(runs) if key != "seed"]
    groups: dict[tuple[str | None, ...], list[Run]] = {}
    for run in runs:
        if not run.error:
            groups.setdefault(tuple(run.settings.get(key) for key in keys), []).append(run)
    names = list(dict.fromkeys(name for run in runs for name in sorted(run.values("test/"))))
    rows: list[list[Cell]] = []
    for title, run in floors(runs).items():
        rows.append([title, *[None] * (len(keys) + 1), *[run.values("floor/").get(name) for name in names]])
    for settings, members in groups.items():
        cells: list[Cell] = []
        for name in names:
            values = [run.values("test/").get(name) for run in members]
            known = [value for value in values if value is not None]
            spread = f" ± {statistics.stdev(known):.2g}" if len(known) > 1 else ""
            cells.append(f"{statistics.mean(known):.4g}{spread}" if len(known) == len(values) else None)
        rows.append([None, *settings, len(members), *cells])
    return ["", *keys, "seeds", *names], rows


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.replace("|", "\\|")
    return f"{cell:,.0f}" if float(cell).is_integer() else f"{cell:.4g}"


def compare(folders: Sequence[Path], output: Path) -> list[Run]:
    """Write `comparison.csv`, `comparison.md` and `comparison.png` of the runs in `folders` into `output`."""
    runs = find_runs(folders)
    columns, rows = table(runs)
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "comparison.csv", text.getvalue().encode())
    tables = markdown(columns, rows)
    if len({run.settings.get("seed") for run in runs}) > 1:
        tables += f"\nMean ± standard deviation over seeds:\n\n{markdown(*over_seeds(runs))}"
    write_whole(output / "comparison.md", tables.encode())
    keys = varied(runs)
    write_whole(output / "comparison.png", draw([(label(run, keys), run.samples, run.metrics) for run in runs]))
    return runs


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m colorize.report", description="Compares finished runs.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_OR_SWEEP")
    parser.add_argument("--output", type=Path, help="folder; the sweep's where one is given, else the current one")
    options = parser.parse_args(arguments)
    output = options.output or (options.folders[0] if len(options.folders) == 1 else Path())
    try:
        compare(options.folders, output)
    except ColorizeError as error:
        sys.exit(f"error: {error}")
    print((output / "comparison.md").read_text(encoding="utf-8"), end="")
    print(f"{output / 'comparison.csv'}, .md and .png are written.")


if __name__ == "__main__":
    main()
