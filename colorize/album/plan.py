"""Photographs and films in, pictures and films out: which file becomes which."""

import glob
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from colorize.album.earlier import without_pictures
from colorize.errors import ColorizeError
from colorize.files import expand_home, remove_temporaries
from colorize.images import EXTENSIONS, WRITABLE, find_photographs

SUFFIXES_OF_FORMAT = {"png": (".png",), "jpg": (".jpg", ".jpeg"), "tiff": (".tiff", ".tif"), "webp": (".webp",)}
LOSSY = frozenset({".jpe", ".jfif", ".heic", ".heif", ".avif"})  # written as JPEG where they cannot be themselves
FILMS = frozenset(
    {".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"}
    | {".mts", ".mxf", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv"}
)
WRITABLE_FILMS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"})  # the others become .mkv


@dataclass(frozen=True)
class Job:
    """A photograph, the picture to make of it, and what else was asked for: see `Settings`."""

    file: Path
    output: Path
    side_by_side: Path | None = None
    samples: tuple[Path, ...] = ()
    uncertainty: Path | None = None

    @property
    def pictures(self) -> list[Path]:
        """What is written, in that order: where `output` is, all of them are."""
        others = (*self.samples, self.uncertainty, self.side_by_side)
        return [*(path for path in others if path is not None), self.output]


@dataclass(frozen=True)
class Plan:
    """What there is to do; `folder` is that of `report.csv`, None when `output` names one picture or film.

    Attributes:
        jobs: of photographs.
        films: likewise; nothing lies beside those.
        left_out: folders below the input that hold the pictures of earlier starts.
        unlisted: a sentence for each folder below the input that cannot be listed.
    """

    jobs: list[Job]
    folder: Path | None
    films: list[Job] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What its files are."""
        return "photographs and films" if self.jobs and self.films else "films" if self.films else "photographs"


def make_plan(
    source: str,
    output: str | None = None,
    file_format: str | None = None,
    side_by_side: bool = False,
    samples: int = 0,
    uncertainty: bool = False,
) -> Plan:
    """The pictures to make of a photograph, of every one below a folder (same tree), or of those a pattern matches.

    So it is with films; those of a format that cannot be written become .mkv.

    Names and formats are the photographs', unless `file_format` is given. Formats that cannot be written become JPEG
    if they are lossy as it is (HEIC, AVIF), else PNG. With no `output`, one photograph gives NAME_colorized.EXT beside
    it; an `output` that ends in a format's suffix names the picture of one photograph. What else is made of it lies
    beside it, in its format: NAME_side_by_side.EXT, NAME_sample1.EXT and so on, NAME_uncertainty.EXT.

    Raises:
        ColorizeError: nothing to do, a picture that would replace a photograph, or two that would be one file.
    """
    left_out: list[Path] = []
    unlisted: list[str] = []
    try:
        root, photographs, single = _find(source, unlisted)
        if single:
            jobs, folder = _one(photographs[0], output, file_format)
        else:
            folder = _output_folder(source, output)
            photographs, left_out = without_pictures(photographs, root, folder)
            jobs = [
                Job(file, folder / file.relative_to(root).with_suffix(_suffix(file, file_format)))
                for file in photographs
            ]
        jobs = [_with_others(job, side_by_side, samples, uncertainty) for job in jobs]
        _check_distinct(jobs, _name_folding(folder or jobs[0].output.parent))
    except OSError as error:
        raise ColorizeError(f"input={source}: {error.filename}: {error.strerror}.") from error
    films = [job for job in jobs if is_film(job.file)]
    return Plan([job for job in jobs if not is_film(job.file)], folder, films, left_out, unlisted)


def remove_leftovers(plan: Plan) -> None:
    """Remove the temporary files that killed processes left where pictures go; those of living ones stay."""
    for folder in {job.output.parent for job in [*plan.jobs, *plan.films]} | ({plan.folder} if plan.folder else set()):
        remove_temporaries(folder)


def _find(source: str, unlisted: list[str]) -> tuple[Path, list[Path], bool]:
    """(the folder that names start from, the photographs, whether the source is one of them itself)."""
    if not source:
        raise ColorizeError("input= is empty: give a photograph, a folder of them, or a pattern such as 'scans/*.tif'.")
    path = expand_home(source)
    if path.is_dir():
        return path, find_photographs(path, FILMS, unlisted), False
    if path.is_file():
        return path.parent, [path], True
    if path.exists():
        raise ColorizeError(f"input={source} is neither a file nor a folder: give a photograph.")
    if not glob.has_magic(str(path)):
        raise ColorizeError(
            f"input={source} does not exist: give a photograph, a folder of them, or a pattern such as 'scans/*.tif'."
        )
    root = next(parent for parent in path.parents if parent.is_dir())  # [x] of a folder's name is no pattern
    pattern = str(path.relative_to(root))
    found = [root / name for name in glob.glob(pattern, root_dir=root, recursive=True)]  # noqa: PTH207 # none hidden
    parents: dict[str, Path] = {}  # by real path: each is read once, however many links lead to it
    photographs = [
        file
        for file in sorted(set(found))
        if file.suffix.lower() in EXTENSIONS | FILMS
        and not os.path.isdir(file)  # noqa: PTH112 # unlike Path's, no error for one in a folder that cannot be entered
        and parents.setdefault(os.path.realpath(file.parent), file.parent) == file.parent
    ]
    if not photographs:
        raise ColorizeError(
            f"input={source} matches no photograph, only {len(found)} other files and folders: "
            "'FOLDER/**/*.jpg' also looks in the folders below."
        )
    return root, photographs, False


def _one(file: Path, output: str | None, file_format: str | None) -> tuple[list[Job], Path | None]:
    suffix = _suffix(file, file_format)
    if output is None:
        return [Job(file, file.with_name(f"{file.stem}_colorized{suffix}"))], None
    path = expand_home(output)
    if path.is_dir() or not _names_picture(path):
        folder = _output_folder(str(file), output)
        return [Job(file, folder / file.with_suffix(suffix).name)], folder
    writable = WRITABLE_FILMS if is_film(file) else WRITABLE
    if path.suffix.lower() not in writable:
        raise ColorizeError(f"output={output} cannot be written: its name must end in {', '.join(sorted(writable))}.")
    if is_film(file):
        return [Job(file, path)], None
    if file_format is not None and path.suffix.lower() not in SUFFIXES_OF_FORMAT[file_format]:
        raise ColorizeError(f"format={file_format} and output={output} differ: leave out format, or rename the output.")
    return [Job(file, path)], None


def _names_picture(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS | WRITABLE | FILMS


def is_film(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in FILMS


def _output_folder(source: str, output: str | None) -> Path:
    if output is None:
        raise ColorizeError(f"output=FOLDER is needed for the pictures of input={source}, which may be many.")
    folder = expand_home(output)
    if folder.exists() and not folder.is_dir():
        raise ColorizeError(f"output={output} is a file: give a folder for the pictures of input={source}.")
    if not folder.exists() and _names_picture(folder):
        raise ColorizeError(f"output={output} names one picture, but input={source} may be many: give a folder.")
    return folder


def _suffix(file: Path, file_format: str | None) -> str:
    own = file.suffix.lower()
    if is_film(file):
        return file.suffix if own in WRITABLE_FILMS else ".mkv"
    if file_format is not None:
        return file.suffix if own in SUFFIXES_OF_FORMAT[file_format] else f".{file_format}"
    if own in WRITABLE:
        return file.suffix
    return ".jpg" if own in LOSSY else ".png"


def _with_others(job: Job, side_by_side: bool, samples: int, uncertainty: bool) -> Job:
    if is_film(job.file):
        return job

    def beside(what: str) -> Path:
        return job.output.with_name(f"{job.output.stem}_{what}{job.output.suffix}")

    return replace(
        job,
        side_by_side=beside("side_by_side") if side_by_side else None,
        samples=tuple(beside(f"sample{number}") for number in range(1, samples + 1)),
        uncertainty=beside("uncertainty") if uncertainty else None,
    )


def _check_distinct(jobs: list[Job], fold: Callable[[str], str]) -> None:
    """No picture is a photograph, also not by way of a link, and no two pictures are one file."""
    originals: dict[object, Path] = {identity: job.file for job in jobs if (identity := _identity(job.file))}
    makers: dict[str, Path] = {}
    clashes: dict[tuple[Path, Path], Path] = {}
    for job in jobs:
        for picture in job.pictures:
            original = originals.get(_identity(picture))
            if original is not None:
                raise ColorizeError(f"{picture} would write over {original}: give another output.")
            other = makers.setdefault(fold(str(picture)), job.file)
            if other != job.file:
                clashes.setdefault((other, job.file), picture)
    if clashes:
        (one, other), picture = next(iter(clashes.items()))
        more = f", and {len(clashes) - 1} more such pairs" if len(clashes) > 1 else ""
        kinds = f" or colour '**/*{one.suffix}' and '**/*{other.suffix}' into two folders"
        remedy = f"rename one of them{kinds if one.suffix != other.suffix else ''}"
        raise ColorizeError(f"{one} and {other} would both be written to {picture}{more}: {remedy}.")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None  # it is not there, or reading it will fail with the reason
    return status.st_dev, status.st_ino


def _name_folding(folder: Path) -> Callable[[str], str]:
    """How names compare in a folder, or in the nearest above it that exists: some file systems do not tell A from a."""
    above = (folder.absolute(), *folder.absolute().parents)
    named = [path for path in above if path.is_dir() and path.name.swapcase() != path.name]
    same = bool(named) and _identity(named[0].with_name(named[0].name.swapcase())) == _identity(named[0])
    return str.casefold if same else str
