"""Short ways to pack photographs and to look at the cache."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from colorize.data.pack import PackedImages, pack
from colorize.images import find_photographs

SIZE = 16


def pack_folder(root: Path, cache: Path, size: int = SIZE) -> PackedImages:
    return pack(root, find_photographs(root), size, cache, workers=2)


def folders(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.is_dir())


def fail(*_: object, **__: object) -> None:
    raise AssertionError("decoded again")


def fitted(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(ImageOps.fit(Image.fromarray(rgb), (SIZE, SIZE), Image.Resampling.LANCZOS))
