"""What folders of photographs have in common: decoded once, and split by their file names."""

import hashlib
import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from colorize.data.base import SPLIT_NAMES, ImageData, Split
from colorize.data.pack import PackedImages, pack
from colorize.errors import ColorizeError
from colorize.files import expand_home
from colorize.images import find_photographs

log = logging.getLogger(__name__)


class PackedData(ImageData):
    """Photographs in folders, decoded once into memory maps; a subclass implements `folders` and `load`.

    Which split a photograph belongs to follows from its file name alone: adding files moves none across. In one
    process each folder is searched once, however often Lightning prepares and sets up.

    Args:
        cache_dir: where the decoded photographs are kept.
        val_fraction, test_fraction: the splits' shares.
        max_bad_fraction: more unreadable files than this share of a folder is an error.
        image_size: the shorter side is brought to this, then the middle is cut out.
        batch_size, num_workers, augment: see `ImageData`.

    `names` are the paths of all pictures, in the order of `index`; they are there after `setup`.
    """

    def __init__(
        self,
        cache_dir: str,
        image_size: int,
        batch_size: int,
        val_fraction: float,
        test_fraction: float,
        max_bad_fraction: float,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(image_size, batch_size, num_workers, augment)
        for key, value in (("val_fraction", val_fraction), ("test_fraction", test_fraction)):
            if not isinstance(value, int | float):
                raise ColorizeError(f"data.{key}={value} must be a number from 0 to 1.")
        if not (val_fraction >= 0 and test_fraction >= 0 and val_fraction + test_fraction <= 1):
            raise ColorizeError(
                f"data.val_fraction={val_fraction} and data.test_fraction={test_fraction} must not be negative "
                "nor add up to more than 1."
            )
        if not (isinstance(max_bad_fraction, int | float) and 0 <= max_bad_fraction <= 1):
            raise ColorizeError(f"data.max_bad_fraction is {max_bad_fraction}, but must be a number from 0 to 1.")
        self.cache_dir = expand_home(cache_dir)
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.max_bad_fraction = max_bad_fraction
        self.names: list[str] = []
        self._files: dict[Path, list[Path]] = {}
        self._packs: dict[Path, PackedImages] = {}

    @abstractmethod
    def folders(self) -> list[Path]:
        """The folders to pack."""

    def prepare_data(self) -> None:
        for folder in self.folders():
            if folder not in self._packs:
                found = self.packed(folder)
                check_unreadable(len(found.names), found.bad, self.max_bad_fraction)

    def photographs(self, folder: Path) -> list[Path]:
        """The photographs below a folder, sorted by path."""
        if folder not in self._files:
            self._files[folder] = find_photographs(folder)
        return self._files[folder]

    def packed(self, folder: Path) -> PackedImages:
        """The decoded photographs of a folder."""
        if folder not in self._packs:
            self._packs[folder] = pack(folder, self.photographs(folder), self.image_size, self.cache_dir)
        return self._packs[folder]

    def rows(self) -> dict[Split, np.ndarray]:
        """Which of `names` are in each split."""
        return split_by_name(self.names, self.val_fraction, self.test_fraction)

    def empty_split(self, split: Split) -> str:
        return (
            f"None of the {len(self.names)} photographs falls into the {SPLIT_NAMES[split]} split "
            f"(data.val_fraction={self.val_fraction}, data.test_fraction={self.test_fraction}): "
            "add photographs or change the fractions."
        )


def check_unreadable(
    good: int, bad: Sequence[str], max_bad_fraction: float, key: str = "data.max_bad_fraction"
) -> None:
    """Warns of files that cannot be read; raises a ColorizeError when they are more than `max_bad_fraction`.

    Args:
        good: how many could be read.
        bad: "path: reason" of each other.
        max_bad_fraction: the largest share that is accepted.
        key: what the limit is called.
    """
    if not bad:
        return
    count = len(bad) + good
    some = "; ".join(bad[:5]) + ("; ..." if len(bad) > 5 else "")
    sentence = f"{len(bad)} of {count} files cannot be read ({some})"
    if len(bad) / count > max_bad_fraction:
        raise ColorizeError(f"{sentence}: more than {key}={max_bad_fraction}; fix or remove them, or raise that limit.")
    log.warning("%s and are left out.", sentence)


def split_by_name(names: Sequence[str], val_fraction: float, test_fraction: float) -> dict[Split, np.ndarray]:
    """Rows of each split; a file's follows from a hash of its name (without folders), and never changes.

    Validation and test are in the order of that hash.
    """
    points = np.array([_point(name) for name in names])
    order = np.argsort(points, kind="stable")
    first, last = np.searchsorted(points[order], [test_fraction, test_fraction + val_fraction])
    return {"test": order[:first], "val": order[first:last], "train": np.sort(order[last:])}


def _point(name: str) -> float:
    """A number in [0, 1) that belongs to the name."""
    digest = hashlib.blake2b(Path(name).name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
