"""Numbers of a data configuration that cannot be."""

from typing import Any

import pytest

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
    ],
)
def test_numbers_that_cannot_be_are_named(key: str, value: object, least: int) -> None:
    with pytest.raises(ColorizeError, match=f"^data.{key} is {value}, but must be a whole number of at least {least}"):
        SceneData(**{**SIZES, key: value})
