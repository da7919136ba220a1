"""An album, of which each rank makes its share."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from colorize.album.ledger import Ledger, LedgerRow
from colorize.album.outcome import Outcome
from colorize.album.pipeline import Pipeline
from colorize.album.plan import Job, Plan
from colorize.album.ranks import Ranks
from colorize.album.settings import Settings
from colorize.album.stop import Stop
from colorize.errors import ColorizeError
from colorize.files import is_file
from colorize.images.memory import keep_memory
from colorize.inference.colorizer import Colorizer
from colorize.inference.colors import check_distribution
from colorize.progress import in_lines

KEPT = "the output exists; overwrite=true replaces it"


@dataclass(frozen=True)
class _Work:
    """What the first rank sends to the others."""

    jobs: list[Job]
    folder: Path | None


def color_album(plan: Plan | None, colorizer: Colorizer, settings: Settings, ranks: Ranks, stop: Stop) -> Outcome:
    """Make the pictures of a plan that are not there yet. The first rank finds out which, and hands them out.

    Args:
        plan: of the first rank; None on the others.
        colorizer: on the device of this rank.
        settings: how.
        ranks: those that share the photographs.
        stop: whether the user wants it to end; from here on it is asked between photographs.

    Returns:
        What became of all photographs.

    Raises:
        ColorizeError: the weights cannot do what is asked, the ledger cannot be written, or another rank was killed.
    """
    if settings.keep_color and colorizer.at_full_size:
        raise ColorizeError("keep_color=true has no use with weights that take colour away: leave it out.")
    check_distribution(colorizer.target, settings.temperature, settings.samples, settings.uncertainty)
    keep_memory(True)
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # max_megapixels decides
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of damaged EXIF, without the file's name
    outcome = Outcome()
    work = ranks.connect(_Work([], None) if plan is None else _Work(_todo(plan, settings, outcome), plan.folder))
    ledger = Ledger(work.folder) if work.folder is not None else None
    share = work.jobs[ranks.rank :: ranks.world]
    name = f"process 1 of {ranks.world}" if ranks.world > 1 else None
    bar = in_lines(tqdm(total=len(share), desc=name, unit=" photographs", disable=ranks.rank != 0 or not share))

    def record(row: LedgerRow) -> None:
        if ledger is not None:
            ledger.add(row)
        outcome.add(row)
        bar.update()

    pipeline = Pipeline(colorizer, settings, record, settings.threads(ranks.on_machine), lambda: stop.asked)
    stop.gentle = True
    with bar:
        pipeline.run(share)
    outcome.disk_full = pipeline.disk_full
    ranks.wait()
    outcome.stopped = stop.asked
    first, *others = ranks.gather(outcome)
    for other in others:
        first.join(other)
    if ledger is not None and ranks.rank == 0:
        ledger.close()
    return first


def _todo(plan: Plan, settings: Settings, outcome: Outcome) -> list[Job]:
    """What is not there yet; the others get a row in the ledger, unless an earlier start gave them one."""
    outcome.total = len(plan.jobs)
    ledger = Ledger(plan.folder) if plan.folder is not None else None
    todo = []
    for job in plan.jobs:
        status = ledger.status(job.file) if ledger is not None else None
        if settings.overwrite or not _is_there(job, status):
            todo.append(job)
            continue
        row = LedgerRow(str(job.file), "kept", str(job.output), 0.0, KEPT)
        outcome.add(row)
        if ledger is not None and status in (None, "failed"):
            ledger.add(row)
    return todo


def _is_there(job: Job, status: str | None) -> bool:
    """Whether every picture is; photographs already in colour have none side by side."""
    return is_file(job.output) and (status == "colored" or all(map(is_file, job.pictures)))
