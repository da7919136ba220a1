"""Any folders of photographs."""

import logging
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import RandomSampler, WeightedRandomSampler

from colorize.data.base import ImageArray, Pictures, Split
from colorize.data.packed import PackedData
from colorize.errors import ColorizeError
from colorize.files import expand_home

log = logging.getLogger(__name__)


class FolderData(PackedData):
    """Photographs of any size and mode below one or several folders.

    Args:
        root: a folder or a list of folders, searched recursively; a `color` folder in one (or one level down) is taken
            by itself. None downloads `kaggle_dataset` once.
        kaggle_dataset: OWNER/NAME of a public Kaggle data set, used when there is no `root`; None for none.
        weights: for each folder, its share of the pictures drawn in training, in any unit: [3, 1] draws three from the
            first folder for one from the second, however many lie in each. Pictures are then drawn with replacement,
            as many in an epoch as there are training pictures. None takes each picture once an epoch. Validation and
            test always hold each picture once.
        cache_dir, val_fraction, test_fraction, max_bad_fraction, image_size: see `PackedData`.
        batch_size, num_workers, augment: see `ImageData`.
    """

    def __init__(
        self,
        root: str | Sequence[str] | None,
        kaggle_dataset: str | None,
        cache_dir: str,
        image_size: int,
        batch_size: int,
        val_fraction: float,
        test_fraction: float,
        max_bad_fraction: float,
        weights: Sequence[float] | None = None,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            cache_dir, image_size, batch_size, val_fraction, test_fraction, max_bad_fraction, num_workers, augment
        )
        roots = [root] if isinstance(root, str) else list(root or [])
        if not roots and (root is not None or not kaggle_dataset):
            raise ColorizeError("No photographs are named: add data.root=FOLDER or data.root=[FOLDER,FOLDER].")
        self.roots = [expand_home(folder) for folder in roots]
        self.kaggle_dataset = kaggle_dataset
        self.weights = None if weights is None else check_weights(weights, max(len(roots), 1))
        self._folders: list[Path] = []
        self._folder_of_row = np.empty(0, np.int64)

    def folders(self) -> list[Path]:
        if not self._folders:
            if not self.roots:
                assert self.kaggle_dataset is not None
                self.roots = [download(self.kaggle_dataset)]
            self._folders = [color_folder(root) for root in self.roots]
            check_apart(self._folders)
        return self._folders

    def prepare_data(self) -> None:
        folders = self.folders()
        for root, folder in zip(self.roots, folders, strict=True):
            if folder != root and folder not in self._packs:
                log.info("Of %s only its folder %s is taken; to take all, name the others too.", root, folder)
        super().prepare_data()

    def load(self) -> dict[Split, Pictures]:
        packs = {folder: self.packed(folder) for folder in self.folders()}
        self.names = [str(folder / name) for folder, pack in packs.items() for name in pack.names]
        self._folder_of_row = np.repeat(np.arange(len(packs)), [len(pack.names) for pack in packs.values()])
        arrays = [pack.images for pack in packs.values()]
        return {split: ImageArray(arrays, rows) for split, rows in self.rows().items()}

    def train_sampler(self) -> RandomSampler | WeightedRandomSampler:
        """Draws folders by their weights, where there are any."""
        if self.weights is None:
            return super().train_sampler()
        folder_of_row = self._folder_of_row[self.rows()["train"]]
        counts = np.bincount(folder_of_row, minlength=len(self.weights))
        each = (np.array(self.weights) / np.maximum(counts, 1))[folder_of_row]
        if not each.any():
            raise ColorizeError(f"data.weights={self.weights} draws from no folder that holds a training picture.")
        return WeightedRandomSampler(each.tolist(), len(each))


def check_weights(weights: Sequence[float], folders: int) -> list[float]:
    """The weights as a list; a ColorizeError when they are not one number of at least 0 for each folder."""
    values = list(weights)
    numbers = all(isinstance(value, int | float) and 0 <= value < float("inf") for value in values)
    if len(values) != folders or not numbers or not any(values):
        raise ColorizeError(
            f"data.weights={values} must hold one number of at least 0 for each of the {folders} folders of data.root, "
            "and not zeros alone."
        )
    return values


def check_apart(folders: Sequence[Path]) -> None:
    """Raises a ColorizeError when a folder is another one or lies in it: its photographs would be taken twice."""
    for folder, other in permutations(folders, 2):
        if folder.resolve().is_relative_to(other.resolve()):
            raise ColorizeError(
                f"data.root takes the photographs of {folder} twice, by itself and with {other}: name it once, "
                "and draw it more often by data.weights."
            )


def color_folder(root: Path) -> Path:
    """`root/color`, or the one `root/*/color`, or `root` itself; the Kaggle layout has `color` beside `gray`."""
    candidates = [root / "color", *sorted(root.glob("*/color"))]
    return next((folder for folder in candidates if folder.is_dir()), root)


def download(dataset: str) -> Path:
    """The folder of a public Kaggle data set, downloaded once with a progress bar.

    kagglehub asks the network which version is the newest unless one is named (OWNER/NAME/versions/NUMBER), so the
    newest that it holds whole is named: it marks each with DATASETS/OWNER/NAME/NUMBER.complete.
    """
    try:
        import kagglehub
        from kagglehub.config import get_cache_folder
    except ModuleNotFoundError as error:
        raise ColorizeError(
            f"Downloading the Kaggle data set {dataset} needs the kagglehub package: pip install 'colorize[kaggle]', "
            "or give data.root=FOLDER with photographs of your own."
        ) from error
    marks = Path(get_cache_folder(), "datasets", dataset).glob("*.complete")
    versions = [int(mark.stem) for mark in marks if mark.stem.isdigit()]
    try:
        return Path(kagglehub.dataset_download(f"{dataset}/versions/{max(versions)}" if versions else dataset))
    except Exception as error:  # kagglehub lets through whatever its HTTP library raises
        raise ColorizeError(
            f"The Kaggle data set {dataset} could not be downloaded ({type(error).__name__}): connect to the network "
            "once, or give data.root=FOLDER with photographs of your own."
        ) from error
