"""The tables of a comparison: each run, and the mean over seeds."""

import statistics
from collections.abc import Iterable, Sequence

from colorize.compare.labels import by_floor, names, varied
from colorize.compare.runs import Run

Cell = str | float | None
FACTS = ("parameters", "epochs", "seconds", "n_images")


def floors(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs that share a floor, by what distinguishes that floor; by "" if it is the only one."""
    groups = by_floor(runs)
    facts = [_facts(group[0]) for group in groups]
    telling = [name for name in facts[0] if len({fact[name] for fact in facts}) > 1] if facts else []
    titles = [_joined(fact[name] for name in telling) for fact in facts]
    if len(set(titles)) < len(titles):
        name_of = dict(zip((run.folder for run in runs), names(runs), strict=True))
        titles = [_joined([title, name_of[group[0].folder]]) for title, group in zip(titles, groups, strict=True)]
    return dict(zip(titles, groups, strict=True))


def _joined(words: Iterable[str]) -> str:
    return ", ".join(filter(None, words))


def _facts(run: Run) -> dict[str, str]:
    """What a floor depends on: data, their folder, size and number, and whether the task is about colour."""
    root = run.value("data.root")
    return {
        "data": run.value("data") or (run.value("data._target_") or "").rpartition(".")[2],
        "root": "" if root is None or root == "null" else root,
        "size": f"{run.value('data.image_size')} px",
        "count": f"{run.metrics.get('n_images')} pictures",
        "kind": "colour" if "floor/colorfulness" in run.metrics else "gray",
    }


def measured(runs: Sequence[Run]) -> list[str]:
    """The names of all test metrics."""
    return list(dict.fromkeys(name for run in runs for name in sorted(run.values("test/"))))


def table(runs: Sequence[Run]) -> tuple[list[str], list[list[Cell]]]:
    """Column names and rows: each floor first, then each run; what a run does not have is None."""
    keys, metrics = varied(runs), measured(runs)
    rows: list[list[Cell]] = []
    for title, group in floors(runs).items():
        count, values = group[0].metrics.get("n_images"), _floor_values(group)
        blank: list[Cell] = [None] * (len(keys) + len(FACTS))  # the status too, but not n_images
        rows.append([_floor(title), *blank, count, *map(values.get, metrics)])
    for name, run in zip(names(runs), runs, strict=True):
        values = run.values("test/")
        rows.append([name, *map(run.value, keys), run.status, *map(run.metrics.get, FACTS), *map(values.get, metrics)])
    return ["run", *keys, "status", *FACTS, *metrics], rows


def _floor_values(group: Sequence[Run]) -> dict[str, float | None]:
    """The metrics of the floor that runs share, of which each may have some that others have not."""
    return {name: value for run in reversed(group) for name, value in run.values("floor/").items()}


def _floor(title: str) -> str:
    return f"floor ({title})" if title else "floor"


def over_seeds(runs: Sequence[Run]) -> tuple[list[str], list[list[Cell]]]:
    """Mean and standard deviation (of the sample) over the seeds of measured runs that differ in their seed only.

    Runs of one seed count as one, with their mean. There are no rows if no two runs differ so.
    """
    keys, metrics = [key for key in varied(runs) if key != "seed"], measured(runs)
    groups = _by([run for run in runs if run.metrics], *keys)
    columns = ["", *keys, "seeds", *metrics]
    if not any(len(_by(group, "seed")) > 1 for group in groups.values()):
        return columns, []
    rows: list[list[Cell]] = []
    for title, group in floors(runs).items():
        rows.append([_floor(title), *[None] * (len(keys) + 1), *map(_floor_values(group).get, metrics)])
    for settings, group in groups.items():
        seeds = _by(group, "seed").values()
        cells = [_over_seeds([_mean(same, f"test/{name}") for same in seeds]) for name in metrics]
        rows.append([None, *settings, len(seeds), *cells])
    return columns, rows


def _by(runs: Iterable[Run], *keys: str) -> dict[tuple[str | None, ...], list[Run]]:
    """The runs by their values of these keys."""
    groups: dict[tuple[str | None, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(run.value(key) for key in keys), []).append(run)
    return groups


def _mean(runs: Sequence[Run], name: str) -> float | None:
    known = [value for run in runs if (value := run.metrics.get(name)) is not None]
    return statistics.mean(known) if len(known) == len(runs) else None


def _over_seeds(values: Sequence[float | None]) -> str | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    spread = f" ± {statistics.stdev(known):.2g}" if len(known) > 1 else ""
    return f"{statistics.mean(known):.4g}{spread}"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.replace("|", "\\|")
    return f"{cell:,.0f}" if float(cell).is_integer() else f"{cell:.4g}"
