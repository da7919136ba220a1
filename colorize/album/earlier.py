"""The pictures of earlier starts, where they lie below the photographs."""

from pathlib import Path

from colorize.album.ledger import read_ledger
from colorize.errors import ColorizeError


def without_pictures(photographs: list[Path], root: Path, folder: Path) -> tuple[list[Path], list[Path]]:
    """The photographs that are no pictures of an earlier start, and other folders than `folder` that hold such.

    Args:
        photographs: all below `root`.
        root: of the input.
        folder: of the output. Another one is known by its ledger, unless photographs of the ledger lie in it, too.

    Raises:
        ColorizeError: nothing is left, or `folder` is `root`.
    """
    if root.resolve() == folder.resolve():
        raise ColorizeError(f"output={folder} holds the photographs and would write over them: give another folder.")
    outside = _not_below(photographs, [folder]) if folder.resolve().is_relative_to(root.resolve()) else photographs
    if not outside:
        raise ColorizeError(f"output={folder} holds every photograph of the input: give another folder.")
    parents = {file.parent for file in outside}
    below = {above for parent in parents for above in (parent, *parent.parents) if above.is_relative_to(root)} - {root}
    earlier = sorted(filter(_holds_pictures, below))
    rest = _not_below(outside, earlier) if earlier else outside
    if not rest:
        raise ColorizeError(
            f"{earlier[0]} holds the pictures of an earlier start, and there is no photograph beside it."
        )
    return rest, earlier


def _not_below(files: list[Path], folders: list[Path]) -> list[Path]:
    real = [folder.resolve() for folder in folders]
    parents = {file.parent for file in files}
    kept = {parent for parent in parents if not any(map(parent.resolve().is_relative_to, real))}
    return [file for file in files if file.parent in kept]


def _holds_pictures(folder: Path) -> bool:
    rows, real = read_ledger(folder), folder.resolve()
    return bool(rows) and not any(Path(row.file).resolve().is_relative_to(real) for row in rows)
