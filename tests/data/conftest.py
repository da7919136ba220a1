"""Photographs to pack, and where to."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.data.shards import write_shards
from colorize.images import write_photograph
from tests.data.stream import FRACTIONS, SIZE, THREE_PICTURES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Nine photographs of various shapes: wide, tall, small, gray, two levels of folders, odd names."""
    root = tmp_path / "photos of été"
    rng = np.random.default_rng(0)
    shapes = [(40, 60), (60, 40), (16, 16), (5, 9), (100, 17), (33, 32), (50, 50), (64, 200), (1, 30)]
    for index, shape in enumerate(shapes):
        folder = root / f"class {index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels[..., 0] if index == 5 else pixels).save(folder / f"写真\n{index}.png")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """59 photographs in three folders, and a file that is none."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for number in range(60):
        path = folder / f"{number % 3}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        write_photograph(path, rng.integers(0, 256, (18, 20, 3), dtype=np.uint8))
    (folder / "0" / "0.png").write_bytes(b"no photograph")
    return folder


@pytest.fixture(scope="module")
def shards(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("shards") / "out"
    write_shards(photographs, output, SIZE, *FRACTIONS, THREE_PICTURES)
    return output
