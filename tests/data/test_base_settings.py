"""Numbers of a data configuration that cannot be."""

import math
from typing import Any

import pytest

from colorize.data.cifar10 import CIFAR10Data
from colorize.data.folder import FolderData
from colorize.data.scenes import SceneData
from colorize.data.streaming import StreamingData
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


@pytest.mark.parametrize("share", ["few", -0.1, 1.5, math.nan, None])
def test_a_share_of_bad_files_that_cannot_be_is_named(share: Any) -> None:
    with pytest.raises(ColorizeError, match=f"^data.max_bad_fraction is {share}, but must be a number from 0 to 1"):
        FolderData("folder", None, "cache", 16, 4, 0.1, 0.1, share)


@pytest.mark.parametrize("limit", ["much", 0, -1, math.nan, math.inf])
def test_a_limit_of_shards_that_cannot_be_is_named(limit: Any) -> None:
    with pytest.raises(ColorizeError, match=f"^data.cache_gb is {limit}, but must be a number above 0, or null"):
        StreamingData("shards", "cache", 16, 4, cache_gb=limit)
