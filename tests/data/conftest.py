"""Photographs to pack, and where to."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


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
