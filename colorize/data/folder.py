"""Any folder of photographs."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from colorize.data.base import PART_NAMES, ImageArray, ImageData, Part
from colorize.data.packed import PackedImages, pack
from colorize.errors import ColorizeError
from colorize.images import find_photographs

log = logging.getLogger(__name__)


class FolderData(ImageData):
    """Photographs of any size and mode below a folder, decoded once into a memory map.

    Which part a photograph belongs to follows from its file name alone: adding files moves none across.

    Args:
        root: the folder, searched recursively; a `color` folder in it (or one level down) is taken by itself.
            None downloads `kaggle_dataset` once.
        kaggle_dataset: OWNER/NAME of a public Kaggle data set, used when there is no `root`.
        cache_dir: where the decoded photographs are kept.
        val_fraction, test_fraction: the parts' shares.
        max_bad_fraction: more unreadable files than this share is an error.
        image_size: the shorter side is brought to this, then the middle is cut out.
        batch_size, num_workers, flip, crop_padding, crop_scale: see `ImageData`.
    """

    def __init__(
        self,
        root: str | None,
        kaggle_dataset: str,
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
        self.root = None if root is None else Path(root).expanduser()
        self.kaggle_dataset = kaggle_dataset
        self.cache_dir = Path(cache_dir).expanduser()
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.max_bad_fraction = max_bad_fraction
        self.names: list[str] = []

    def prepare_data(self) -> None:
        check_unreadable(self._pack(), self.max_bad_fraction)

    def load(self) -> dict[Part, Dataset[dict[str, Tensor]]]:
        packed = self._pack()
        self.names = packed.names
        rows = split(self.names, self.val_fraction, self.test_fraction)
        return {part: ImageArray(packed.images, rows[part]) for part in rows}

    def _pack(self) -> PackedImages:
        root = color_folder(self.root or download(self.kaggle_dataset))
        return pack(root, find_photographs(root), self.image_size, self.cache_dir)

    def empty_part(self, part: Part) -> str:
        return no_photograph(part, len(self.names), self.val_fraction, self.test_fraction)


def check_fractions(val_fraction: float, test_fraction: float) -> None:
    if val_fraction < 0 or test_fraction < 0 or val_fraction + test_fraction > 1:
        raise ColorizeError(
            f"data.val_fraction={val_fraction} and data.test_fraction={test_fraction} must not be negative "
            "nor add up to more than 1."
        )


def check_unreadable(packed: PackedImages, max_bad_fraction: float) -> None:
    """Warns of files that cannot be read; raises a ColorizeError when they are more than `max_bad_fraction`."""
    if not packed.bad:
        return
    count = len(packed.bad) + len(packed.names)
    some = "; ".join(packed.bad[:5]) + ("; ..." if len(packed.bad) > 5 else "")
    sentence = f"{len(packed.bad)} of {count} files cannot be read ({some})"
    if len(packed.bad) / count > max_bad_fraction:
        raise ColorizeError(
            f"{sentence}: more than data.max_bad_fraction={max_bad_fraction}; mend or remove them, or raise that limit."
        )
    log.warning("%s and are left out.", sentence)


def no_photograph(part: Part, count: int, val_fraction: float, test_fraction: float) -> str:
    """The sentence for a part into which none of `count` photographs fell."""
    return (
        f"None of the {count} photographs falls into the {PART_NAMES[part]} part (data.val_fraction={val_fraction}, "
        f"data.test_fraction={test_fraction}): add photographs or change the fractions."
    )


def color_folder(root: Path) -> Path:
    """`root/color`, or the one `root/*/color`, or `root` itself; the Kaggle layout has `color` beside `gray`."""
    candidates = [root / "color", *sorted(root.glob("*/color"))]
    return next((folder for folder in candidates if folder.is_dir()), root)


def split(names: Sequence[str], val_fraction: float, test_fraction: float) -> dict[Part, np.ndarray]:
    """Rows of each part; a file's part is told by a hash of its name (without folders), now and for ever.

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


def download(dataset: str) -> Path:
    """The folder of a public Kaggle data set, downloaded once with a progress bar."""
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(dataset))
    except Exception as error:  # kagglehub lets through whatever its HTTP library raises
        raise ColorizeError(
            f"The Kaggle data set {dataset} could not be downloaded ({type(error).__name__}): connect to the network "
            "once, or give data.root=FOLDER with photographs of your own."
        ) from error
