"""Pairs of photographs: a folder in colour and a folder with the same pictures in gray."""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset

from colorize.data.base import ImageArray, ImageData, Part, to_channels_first
from colorize.data.folder import check_fractions, check_unreadable, no_photograph, split
from colorize.data.packed import PackedImages, pack
from colorize.errors import ColorizeError
from colorize.images import find_photographs

log = logging.getLogger(__name__)


class PairedArray(Dataset[dict[str, Tensor]]):
    """Some pairs of two packed folders; fetches a whole batch at once, `gray` being uint8 (B, 1, H, W)."""

    def __init__(self, colored: np.ndarray, gray: np.ndarray, pairs: np.ndarray) -> None:
        self.colored = ImageArray(colored, pairs[:, 0])
        self.gray = gray
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        gray = np.stack(
            [cv2.cvtColor(self.gray[row], cv2.COLOR_RGB2GRAY) for row in self.pairs[np.asarray(indices), 1]]
        )
        return {**self.colored.__getitems__(indices), "gray": to_channels_first(gray[..., None])}


class PairedData(ImageData):
    """Two folders that hold the same pictures under the same names, in colour and in gray.

    Which part a pair belongs to follows from its file name alone.

    Args:
        root: what relative folders start from; None for the current one.
        colored: the folder in colour, searched recursively.
        gray: the folder in gray; names are compared without their extension, and a file that holds colour counts by
            its Rec.601 gray. "auto" is `grey` or `gray` beside `colored`. None, or "auto" where there is neither,
            leaves the gray to the task, which computes it.
        cache_dir: where the decoded photographs are kept.
        val_fraction, test_fraction: the parts' shares.
        max_bad_fraction: more unreadable files than this share, in one of the folders, is an error.
        image_size: the shorter side is brought to this, then the middle is cut out.
        batch_size, num_workers, flip, crop_padding, crop_scale: see `ImageData`.
    """

    def __init__(
        self,
        root: str | None,
        colored: str,
        gray: str | None,
        cache_dir: str,
        image_size: int,
        batch_size: int,
        val_fraction: float,
        test_fraction: float,
        max_bad_fraction: float,
        num_workers: int = 0,
        flip: bool = True,
        crop_padding: int = 0,
        crop_scale: float = 1.0,
    ) -> None:
        super().__init__(image_size, batch_size, num_workers, flip, crop_padding, crop_scale)
        check_fractions(val_fraction, test_fraction)
        start = Path(root or ".").expanduser()
        self.colored = start / Path(colored).expanduser()
        self.gray = gray_folder(start, self.colored, gray)
        self.cache_dir = Path(cache_dir).expanduser()
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.max_bad_fraction = max_bad_fraction
        self.count = 0

    def prepare_data(self) -> None:
        check_unreadable(self._pack(self.colored), self.max_bad_fraction)
        if self.gray is None:
            log.warning("There is no gray folder: the target is the Rec.601 gray of the pictures in %s.", self.colored)
        else:
            check_partners(self.colored, self.gray)
            check_unreadable(self._pack(self.gray), self.max_bad_fraction)

    def load(self) -> dict[Part, Dataset[dict[str, Tensor]]]:
        colored = self._pack(self.colored)
        if self.gray is None:
            rows = split(colored.names, self.val_fraction, self.test_fraction)
            self.count = len(colored.names)
            return {part: ImageArray(colored.images, rows[part]) for part in rows}
        gray = self._pack(self.gray)
        row_of = {stem(name): row for row, name in enumerate(gray.names)}
        pairs = np.array([(row, row_of[stem(name)]) for row, name in enumerate(colored.names) if stem(name) in row_of])
        pairs = pairs.reshape(-1, 2)  # also when there is none
        rows = split([colored.names[row] for row, _ in pairs], self.val_fraction, self.test_fraction)
        self.count = len(pairs)
        return {part: PairedArray(colored.images, gray.images, pairs[rows[part]]) for part in rows}

    def _pack(self, root: Path) -> PackedImages:
        return pack(root, find_photographs(root), self.image_size, self.cache_dir)

    def empty_part(self, part: Part) -> str:
        return no_photograph(part, self.count, self.val_fraction, self.test_fraction)


def gray_folder(root: Path, colored: Path, gray: str | None) -> Path | None:
    if gray == "auto":
        return next((folder for name in ("grey", "gray") if (folder := colored.with_name(name)).is_dir()), None)
    return None if gray is None else root / Path(gray).expanduser()


def stem(name: str) -> str:
    """What two partners' names share: the path below their folders, without its extension."""
    return Path(name).with_suffix("").as_posix()


def check_partners(colored: Path, gray: Path) -> None:
    """Every file has exactly one partner of the same size, or a ColorizeError names those that don't."""
    files = {folder: _by_stem(folder) for folder in (colored, gray)}
    wrong = []
    for here, there in ((colored, gray), (gray, colored)):
        lonely = [file.relative_to(here).as_posix() for name, file in files[here].items() if name not in files[there]]
        if lonely:
            some = ", ".join(lonely[:5]) + (", ..." if len(lonely) > 5 else "")
            wrong.append(f"{len(lonely)} of {here} have no partner in {there} ({some})")
    if wrong:
        raise ColorizeError(f"{'; '.join(wrong)}: add the partners or remove these files.")
    for name, file in files[colored].items():
        sizes = [_size(file), _size(files[gray][name])]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ColorizeError(
                f"{file} is {sizes[0]} but its partner {files[gray][name]} is {sizes[1]} (width x height): "
                "partners must show the same picture."
            )


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in find_photographs(folder):
        first = files.setdefault(stem(file.relative_to(folder).as_posix()), file)
        if first != file:
            raise ColorizeError(f"{first} and {file} differ only in their extension: remove one of them.")
    return files


def _size(file: Path) -> str | None:
    """Width x height as stored; None for a file that cannot be read, of which packing tells."""
    try:
        with Image.open(file) as image:
            return f"{image.width}x{image.height}"
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
