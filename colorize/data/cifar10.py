"""CIFAR-10: 50,000 training and 10,000 test pictures of 32x32."""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
from torchvision.datasets import CIFAR10

from colorize.data.base import SPLIT_NAMES, ImageArray, ImageData, Pictures, Split, check_whole
from colorize.errors import ColorizeError
from colorize.files import expand_home

_BATCHES = "cifar-10-batches-py"  # torchvision's name of the folder


class CIFAR10Data(ImageData):
    """CIFAR-10 as uint8 arrays in memory; validation is cut from the training pictures by a seed.

    Args:
        root: a folder that holds `cifar10.npz` (`x_train` and `x_test`, uint8 (N, 32, 32, 3)), or torchvision's
            download; None downloads it once into `cache_dir`.
        cache_dir: where a download goes when there is no `root`.
        val_fraction: share of the training pictures that is held back for validation.
        split_seed: which ones; apart from the seed of training, so that runs with other seeds compare.
        image_size, batch_size, num_workers, augment: see `ImageData`. image_size must be 32.
    """

    fixed_image_size = 32

    def __init__(
        self,
        root: str | None,
        cache_dir: str,
        batch_size: int,
        val_fraction: float,
        split_seed: int = 0,
        image_size: int = 32,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(image_size, batch_size, num_workers, augment)
        check_whole(0, split_seed=split_seed)
        if image_size != 32:
            raise ColorizeError(f"data.image_size is {image_size}, but the pictures of CIFAR-10 are 32x32.")
        if not (isinstance(val_fraction, int | float) and 0 < val_fraction < 1):
            raise ColorizeError(f"data.val_fraction is {val_fraction}, but must lie between 0 and 1.")
        self.root = None if root is None else expand_home(root)
        self.download_dir = expand_home(cache_dir) / "cifar10"
        self.val_fraction = val_fraction
        self.split_seed = split_seed

    def prepare_data(self) -> None:
        if self.root is None:
            download(self.download_dir)

    def load(self) -> dict[Split, Pictures]:
        root = self.root or self.download_dir
        packed = root / "cifar10.npz"
        train, test = read_npz(packed) if packed.is_file() else read_torchvision(root)
        order = np.random.default_rng(self.split_seed).permutation(len(train))
        n_val = round(self.val_fraction * len(train))
        return {
            "train": ImageArray([train], np.sort(order[n_val:])),
            "val": ImageArray([train], order[:n_val]),
            "test": ImageArray([test], np.arange(len(test))),
        }

    def empty_split(self, split: Split) -> str:
        return f"The {SPLIT_NAMES[split]} split holds no picture: change data.val_fraction={self.val_fraction}."


def download(folder: Path) -> None:
    """torchvision's download of CIFAR-10, checked by its md5; does nothing where there is one, and leaves no half."""
    batches = folder / _BATCHES
    if batches.exists() or (folder / "cifar10.npz").exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ColorizeError(f"{folder} cannot be made ({error.strerror}): give another data.cache_dir.") from error
    try:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            CIFAR10(temporary, download=True)
            Path(temporary, _BATCHES).rename(batches)
    except (URLError, OSError, RuntimeError) as error:
        if batches.exists():  # another process was faster
            return
        raise ColorizeError(
            f"CIFAR-10 could not be downloaded ({error}): connect to the network once, or give data.root=FOLDER "
            "with a cifar10.npz (x_train, x_test: uint8 N x 32 x 32 x 3) or torchvision's cifar-10-batches-py in it."
        ) from error


def read_torchvision(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Training and test pictures, uint8 (N, 32, 32, 3), of a download that torchvision accepts."""
    if not root.is_dir():
        raise ColorizeError(f"data.root={root} does not exist: give a folder with cifar10.npz or cifar-10-batches-py.")
    try:
        return CIFAR10(str(root), train=True).data, CIFAR10(str(root), train=False).data
    except (RuntimeError, OSError) as error:
        raise ColorizeError(
            f"{root} holds neither a cifar10.npz nor a cifar-10-batches-py with the official md5: "
            "put one there, or remove it and leave data.root out to download it."
        ) from error


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Training and test pictures, uint8 (N, 32, 32, 3), of an archive of arrays; no pickle is read."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            train, test = archive["x_train"], archive["x_test"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ColorizeError(f"{path} cannot be read: {error}; it must hold the arrays x_train and x_test.") from error
    for name, images in (("x_train", train), ("x_test", test)):
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (32, 32, 3) or not len(images):
            raise ColorizeError(f"{path}: {name} is {images.dtype} {images.shape}, but must be uint8 (N, 32, 32, 3).")
    return train, test
