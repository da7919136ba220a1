"""What the page does with photographs that are sent to it."""

import html
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import Job, is_film, make_plan
from colorize.album.settings import Settings
from colorize.app.choices import Choices, has_distribution
from colorize.app.limits import Limits
from colorize.app.looks import Look, look, thumbnail
from colorize.app.sessions import Sessions, take
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer

FILM = "is a film by its name, and the page takes photographs: predict.py gives colour to films"


@dataclass(frozen=True)
class Asked:
    """The controls of the page, as a visitor has set them."""

    weights: str
    weights_file: str | None
    saturation: float
    tta: bool
    samples: float
    uncertainty: bool


@dataclass(frozen=True)
class Album:
    """Several photographs in colour: a thumbnail and the name of each, one archive, and what went wrong."""

    thumbnails: list[tuple[Path, str]]
    archive: Path | None
    failed: list[str]
    left: int


@dataclass(frozen=True)
class Studio:
    """Colours photographs for open pages, within limits."""

    sessions: Sessions
    choices: Choices
    limits: Limits

    def prepare(self, asked: Asked) -> tuple[Colorizer, Settings]:
        """The colorizer and the settings of predict.py that the controls stand for.

        Raises:
            ColorizeError: weights that cannot be loaded, or a value that is not possible.
        """
        file = Path(asked.weights_file) if asked.weights_file else None
        colorizer = self.choices.load(asked.weights, file)
        several = has_distribution(colorizer)
        values = {
            "saturation": asked.saturation,
            "tta": asked.tta,
            "samples": int(asked.samples) if several else 0,
            "uncertainty": asked.uncertainty and several,
            "max_megapixels": self.limits.megapixels,
        }
        return colorizer, Settings.from_config({**asdict(Settings()), **values, "trainer": {"strategy": "auto"}})

    def color_one(self, name: str, upload: Path, asked: Asked) -> Iterator[tuple[Look, Job | None]]:
        """A quick look at a photograph in colour; then, again, with its files as predict.py writes them.

        Args:
            name: of the open page.
            upload: the file that was sent.
            asked: how.

        Raises:
            ColorizeError: it is no photograph, is too large or took too long, and as `prepare`.
        """
        with self.sessions.folder(name, "one") as (folder, stop):
            colorizer, settings = self.prepare(asked)
            for part in ("look", "pictures"):
                (folder / part).mkdir()
            file = take(upload, folder / "pictures")
            if is_film(file):
                raise ColorizeError(f"{file.name}: {FILM}")
            seen = look(file, colorizer, settings, folder / "look")
            yield seen, None
            others = (settings.side_by_side, settings.samples, settings.uncertainty)
            [job] = make_plan(str(file), None, settings.format, *others).jobs
            rows: list[LedgerRow] = []
            self._run([job], stop, colorizer, settings, rows.append)
            if not rows:
                raise ColorizeError(f"{file.name}: {self._too_long()}")
            if rows[0].status == "failed":
                raise ColorizeError(rows[0].message)
            yield seen, job

    def color_several(
        self, name: str, uploads: Sequence[Path], asked: Asked, progress: Callable[[int, int], None]
    ) -> Album:
        """Many photographs in colour, as predict.py writes them into a folder.

        Args:
            name: of the open page.
            uploads: the files that were sent.
            asked: how; other colourings and the map of uncertainty are for one photograph.
            progress: called with how many are done, of how many.

        Raises:
            ColorizeError: too many, and as `prepare`.
        """
        if len(uploads) > self.limits.files:
            raise ColorizeError(
                f"These are {len(uploads)} photographs, and the page takes {self.limits.files} at once: send fewer, or "
                "use predict.py."
            )
        with self.sessions.folder(name, "several") as (folder, stop):
            colorizer, settings = self.prepare(asked)
            for part in ("photographs", "pictures", "thumbnails"):
                (folder / part).mkdir()
            files = [take(upload, folder / "photographs") for upload in uploads]
            plans = [make_plan(str(file), str(folder / "pictures")) for file in files]
            jobs = [job for plan in plans for job in plan.jobs]
            rows: list[LedgerRow] = []
            thumbnails = []

            def record(row: LedgerRow) -> None:
                rows.append(row)
                if row.status == "done":
                    picture = Path(row.output)
                    thumbnails.append((thumbnail(picture, folder / "thumbnails"), picture.name))
                progress(len(rows), len(jobs))

            progress(0, len(jobs))
            self._run(jobs, stop, colorizer, settings, record)
            done = [Path(row.output) for row in rows if row.status == "done"]
            archive = _zip(done, folder / "colorized.zip") if done else None
            failed = [self.plain(row.message) for row in rows if row.status == "failed"]
            failed += [f"{film.file.name}: {FILM}" for plan in plans for film in plan.films]
            return Album(sorted(thumbnails), archive, failed, len(jobs) - len(rows))

    def plain(self, message: str) -> str:
        """A message without the folders of the page, which tell a visitor nothing."""
        return re.sub(re.escape(str(self.sessions.root)) + r"/(?:[^/\s]+/)*", "", message)

    def _run(
        self,
        jobs: list[Job],
        stop: threading.Event,
        colorizer: Colorizer,
        settings: Settings,
        record: Callable[[LedgerRow], None],
    ) -> None:
        end = time.monotonic() + self.limits.seconds

        def stopping() -> bool:
            return stop.is_set() or time.monotonic() > end

        pipeline = Pipeline(colorizer, settings, record, settings.threads(), stopping)
        pipeline.run(jobs)
        if pipeline.disk_full is not None:
            raise ColorizeError("The disk of the page is full: try later.")

    def _too_long(self) -> str:
        return f"was stopped, or took longer than the {self.limits.seconds:g} seconds that the page gives it"


def _zip(files: Sequence[Path], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for file in files:
            archive.write(file, file.name)
            file.unlink()
    return path


def say(*sentences: str, role: str = "status") -> str:
    """Sentences as one line of HTML that a screen reader reads out; role: "status", or "alert" for what went wrong."""
    lines = [html.escape(" ".join(sentence.split())) for sentence in sentences]
    return f'<div role="{role}">{"<br>".join(lines)}</div>' if lines else ""
