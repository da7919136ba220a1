"""Folders of photographs written as shards to stream from: python -m colorize.data.shards FOLDER OUTPUT."""

if __name__ == "__main__":  # the library leaves Ctrl-C alone
    from colorize.interrupt import stoppable  # first: Ctrl-C ends the imports below without a traceback

# isort: split
import argparse
import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from colorize.data.pack import RECIPE, decode_readable
from colorize.data.packed import check_unreadable, split_by_name
from colorize.errors import ColorizeError
from colorize.images import find_photographs

ABOUT = "about.json"
PICTURES_OF_EACH = "names.jsonl"
HEADER = 24  # bytes that LitData puts before the pixels of a picture


def write_shards(
    folder: Path,
    output: Path,
    size: int = 128,
    val_fraction: float = 0.1,
    test_fraction: float = 0.1,
    shard_megabytes: float = 64,
    max_bad_fraction: float = 0.05,
) -> dict[str, Any]:
    """Write the photographs below `folder` as LitData data sets OUTPUT/train, OUTPUT/val and OUTPUT/test.

    Each picture is a uint8 array (size, size, 3), as `data=photographs` decodes it, and in the split where its name
    puts it there. Within a split pictures lie in an order that follows from their paths' hashes: a shard is a random
    sample of the split, which reading a few shards at a time relies on. `about.json` says what is in them, and which
    files could not be read; `names.jsonl` in each split is the path of each picture.

    Args:
        folder: searched recursively.
        output: a folder that is not there yet; it appears whole or not at all.
        size: the shorter side is brought to this, then the middle is cut out.
        val_fraction, test_fraction: the splits' shares.
        shard_megabytes: of each shard, at most.
        max_bad_fraction: more unreadable files than this share is an error.

    Returns:
        What `about.json` holds.

    Raises:
        ColorizeError: a value that is not possible, `output` is there already or cannot be written, too many files are
            unreadable.
    """
    if size < 1 or not 0 < shard_megabytes < math.inf:
        raise ColorizeError("--image-size must be at least 1, and --shard-megabytes above 0.")
    if not (val_fraction >= 0 and test_fraction >= 0 and val_fraction + test_fraction <= 1):
        raise ColorizeError("--val-fraction and --test-fraction must not be negative nor add up to more than 1.")
    if os.path.lexists(output):
        raise ColorizeError(f"{output} is there already: name a new folder, or remove it.")
    names = [file.relative_to(folder).as_posix() for file in find_photographs(folder)]
    each = max(1, int(shard_megabytes * 1e6 / (HEADER + size * size * 3)))
    pictures: dict[str, int] = {}
    bad: list[str] = []
    with _whole_folder(output) as temporary:
        for split, rows in split_by_name(names, val_fraction, test_fraction).items():
            chosen = sorted((names[row] for row in rows), key=_hash)
            pictures[split] = _write_split(temporary / split, folder, chosen, size, each, bad)
        check_unreadable(sum(pictures.values()), sorted(bad), max_bad_fraction, "--max-bad-fraction")
        about = {"recipe": RECIPE, "image_size": size, "pictures": pictures, "bad": sorted(bad)}
        (temporary / ABOUT).write_text(json.dumps(about, indent=1))
    return about


@contextmanager
def _whole_folder(output: Path) -> Iterator[Path]:
    """A folder beside `output` to write to; when all went well it is renamed to `output`, else it is removed."""
    temporary = output.with_name(f"{output.name}.tmp")
    try:
        temporary.mkdir(parents=True)
    except FileExistsError as error:
        raise ColorizeError(
            f"{temporary} is there already: wait until the process that writes it has ended, or remove what a killed "
            "one has left."
        ) from error
    except OSError as error:
        raise ColorizeError(f"{output} cannot be written: {error.strerror}.") from error
    try:
        yield temporary
        temporary.rename(output)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise ColorizeError(f"{output} cannot be written: {error.strerror}.") from error
        raise


def _write_split(folder: Path, root: Path, names: Sequence[str], size: int, each: int, bad: list[str]) -> int:
    """Write the shards of a split, of `each` pictures; how many there are. Adds to `bad` what cannot be read."""
    from litdata.streaming import Cache

    good: list[str] = []
    folder.mkdir()
    writer = Cache(input_dir=str(folder), chunk_size=each)
    with closing(decode_readable([root / name for name in names], names, size, bad)) as images:
        for name, image in images:
            writer[len(good)] = image
            good.append(name)
    if not good:
        folder.rmdir()
        return 0
    writer.done()
    writer.merge()
    (folder / PICTURES_OF_EACH).write_text("".join(f"{json.dumps(name)}\n" for name in good))
    return len(good)


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m colorize.data.shards", description="Writes a folder of photographs as shards: data=streaming."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("output", type=Path, metavar="OUTPUT")
    parser.add_argument("--image-size", dest="size", type=int, default=128)
    parser.add_argument("--val-fraction", type=float, default=0.1, help="of the file names")
    parser.add_argument("--test-fraction", type=float, default=0.1)
    parser.add_argument("--shard-megabytes", type=float, default=64)
    parser.add_argument("--max-bad-fraction", type=float, default=0.05, help="more unreadable files: an error")
    options = parser.parse_args(arguments)
    try:
        about = write_shards(**vars(options))
    except ModuleNotFoundError:
        sys.exit("error: shards need LitData: pip install 'colorize[streaming]'.")
    except ColorizeError as error:
        sys.exit(f"error: {error}")
    counts = ", ".join(f"{count:,} for {split}" for split, count in about["pictures"].items())
    print(
        f"{options.output}: pictures of {options.size}x{options.size}: {counts}; {len(about['bad'])} unreadable files."
    )


if __name__ == "__main__":
    with stoppable():
        main()
