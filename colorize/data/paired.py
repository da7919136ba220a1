"""Pairs of photographs: a folder in colour and a folder with the same pictures in gray."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from colorize.data.base import ImageArray, Pictures, Split, to_channels_first
from colorize.data.packed import PackedData
from colorize.errors import ColorizeError, ImageError
from colorize.files import expand_home
from colorize.images import read_upright_size

log = logging.getLogger(__name__)


class PairedArray(Pictures):
    """Some rows of `pairs`, whose columns are rows of two packed folders.

    Batches have `gray` too, uint8 (B, 1, H, W).
    """

    def __init__(self, colored: np.ndarray, gray: np.ndarray, pairs: np.ndarray, rows: np.ndarray) -> None:
        self.colored = ImageArray([colored], pairs[rows, 0])
        self.gray = ImageArray([gray], pairs[rows, 1])
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        chosen = np.asarray(indices)
        images = self.gray.read(self.gray.rows[chosen])
        gray = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])
        return {
            "rgb": to_channels_first(self.colored.read(self.colored.rows[chosen])),
            "gray": to_channels_first(gray[..., None]),
            "index": torch.from_numpy(self.rows[chosen]),
        }


class PairedData(PackedData):
    """Two folders that hold the same pictures under the same names, in colour and in gray.

    Which split a pair belongs to follows from its file name alone.

    Args:
        root: what relative folders start from; None for the current one.
        colored: the folder in colour, searched recursively.
        gray: the folder in gray; names are compared without their extension, and a file that holds colour counts by
            its Rec.601 gray. "auto" is `grey` or `gray` beside `colored`. None, or "auto" where there is neither,
            leaves the gray to the task, which computes it.
        cache_dir, val_fraction, test_fraction, max_bad_fraction, image_size: see `PackedData`.
        batch_size, num_workers, augment: see `ImageData`.
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
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            cache_dir, image_size, batch_size, val_fraction, test_fraction, max_bad_fraction, num_workers, augment
        )
        start = expand_home(root or ".")
        self.colored = start / expand_home(colored)
        self.gray = gray_folder(start, self.colored, gray)

    def folders(self) -> list[Path]:
        return [self.colored] if self.gray is None else [self.colored, self.gray]

    def prepare_data(self) -> None:
        if self.colored not in self._packs:
            if self.gray is None:
                log.warning(
                    "There is no gray folder: the target is the Rec.601 gray of the pictures in %s.", self.colored
                )
            else:
                check_partners({folder: by_stem(folder, self.photographs(folder)) for folder in self.folders()})
        super().prepare_data()

    def load(self) -> dict[Split, Pictures]:
        colored = self.packed(self.colored)
        if self.gray is None:
            self.names = [str(self.colored / name) for name in colored.names]
            return {split: ImageArray([colored.images], rows) for split, rows in self.rows().items()}
        gray = self.packed(self.gray)
        row_of = {stem(name): row for row, name in enumerate(gray.names)}
        pairs = np.array([(row, row_of[stem(name)]) for row, name in enumerate(colored.names) if stem(name) in row_of])
        pairs = pairs.reshape(-1, 2)  # also when there is none
        self.names = [str(self.colored / colored.names[row]) for row, _ in pairs]
        return {split: PairedArray(colored.images, gray.images, pairs, rows) for split, rows in self.rows().items()}


def gray_folder(root: Path, colored: Path, gray: str | None) -> Path | None:
    if gray == "auto":
        return next((folder for name in ("grey", "gray") if (folder := colored.with_name(name)).is_dir()), None)
    return None if gray is None else root / expand_home(gray)


def stem(name: str) -> str:
    """What two partners' names share: the path below their folders, without its extension."""
    return Path(name).with_suffix("").as_posix()


def check_partners(files: Mapping[Path, Mapping[str, Path]]) -> None:
    """Every file has exactly one partner of the same size, or a ColorizeError names those that don't.

    Args:
        files: the folder in colour and the folder in gray, each with its files by stem.
    """
    colored, gray = files
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


def by_stem(folder: Path, photographs: Sequence[Path]) -> dict[str, Path]:
    """The photographs of a folder by their stem, or a ColorizeError names two that share one."""
    files: dict[str, Path] = {}
    for file in photographs:
        first = files.setdefault(stem(file.relative_to(folder).as_posix()), file)
        if first != file:
            raise ColorizeError(f"{first} and {file} differ only in their extension: remove one of them.")
    return files


def _size(file: Path) -> str | None:
    """Width x height, upright; None for a file that cannot be read, which packing then lists."""
    try:
        width, height = read_upright_size(file)
    except ImageError:
        return None
    return f"{width}x{height}"
