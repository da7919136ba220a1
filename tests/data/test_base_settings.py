"""Numbers of a data configuration that cannot be."""

from typing import Any

import pytest

from colorize.data.cifar10 import CIFAR10Data
from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError

SIZES: dict[str, Any] = {"image_size": 16, "batch_size": 8, "train_size": 8, "val_size": 4, "test_size": 4}


@pytest.mark.parametrize(
    ("key", "value", "least"),
    [
        ("image_size", "large", 1),
        ("image_size", 16.5, 1),
        ("num_workers", -1, 0),
        ("train_size", 2.5, 0),
        ("test_size", True, 0),
        ("scene_seed", 1.5, 0),
        ("scene_seed", -1, 0),
    ],
)
def test_numbers_that_cannot_be_are_named(key: str, value: object, least: int) -> None:
    with pytest.raises(ColorizeError, match=f"^data.{key} is {value}, but must be a whole number of at least {least}"):
        SceneData(**{**SIZES, key: value})


@pytest.mark.parametrize("seed", [-1, 1.5, None])
def test_a_seed_of_the_split_that_cannot_be_is_named(seed: Any) -> None:
    with pytest.raises(ColorizeError, match=f"^data.split_seed is {seed}, but must be a whole number of at least 0"):
        CIFAR10Data(None, "cache", batch_size=4, val_fraction=0.1, split_seed=seed)
