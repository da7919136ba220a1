"""The photographs below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from colorize.errors import ColorizeError

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".avif", ".heic", ".heif"}
    | {".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"}
)


def find_photographs(root: Path, others: frozenset[str] = frozenset(), unlisted: list[str] | None = None) -> list[Path]:
    """Every file below `root` that has one of `EXTENSIONS`, sorted by path.

    Hidden files and folders are left out; links to folders are followed, each folder being read once.

    Args:
        root: the folder.
        others: further extensions, in lower case, of files that are looked for too.
        unlisted: gets a sentence for each folder below `root` that cannot be listed; None refuses these.

    Raises:
        ColorizeError: `root` is missing, is not a folder or has no photograph; it, or a folder below it, cannot be
            listed.
    """
    root = Path(root)
    if not root.exists():
        raise ColorizeError(f"{root}: there is no such folder; give one that holds photographs")
    if not root.is_dir():
        raise ColorizeError(f"{root}: is a file, but must be a folder of photographs")
    found, rest = [], 0
    for file in _walk(root, unlisted):
        if file.suffix.lower() in EXTENSIONS | others:
            found.append(file)
        else:
            rest += 1
    if not found:
        kinds = ", ".join(sorted(EXTENSIONS))
        others_found = f"only {rest} file{'' if rest == 1 else 's'} of other kinds"
        instead = others_found if rest else "nor any other file, hidden ones aside"
        unseen = "".join(f"; {sentence}" for sentence in unlisted or [])
        raise ColorizeError(f"{root}: has no photograph ({kinds}), {instead}{unseen}")
    return sorted(found)


def _walk(root: Path, unlisted: list[str] | None) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        sentence = f"{error.filename}: this folder cannot be listed: {error.strerror}"
        if unlisted is None or Path(error.filename) == root:
            raise ColorizeError(sentence) from error
        unlisted.append(sentence)

    seen = set()
    for folder, subfolders, files in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))
