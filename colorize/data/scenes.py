"""Painted landscapes: data for a machine with no data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorize.data.base import ImageData, Pictures, Split, check_whole, to_channels_first
from colorize.scenery import render_scenes


class SceneDataset(Pictures):
    """`size` scenes from number `first` on, painted when they are asked for."""

    def __init__(self, first: int, size: int, image_size: int, seed: int) -> None:
        self.numbers = range(first, first + size)
        self.image_size = image_size
        self.seed = seed

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        numbers = np.array([self.numbers[i] for i in indices], dtype=np.int64)
        images = render_scenes(numbers, self.image_size, self.seed)
        return {"rgb": to_channels_first(images), "index": torch.from_numpy(numbers)}


class SceneData(ImageData):
    """Landscapes painted from a seed: as many as wanted, the same on every machine.

    Validation and test scenes come first in the numbering, so a larger `train_size` leaves them as they are.

    Args:
        train_size, val_size, test_size: scenes in each split.
        scene_seed: another seed, another world.
        image_size, batch_size, num_workers, augment: see `ImageData`.
    """

    def __init__(
        self,
        image_size: int,
        batch_size: int,
        train_size: int,
        val_size: int,
        test_size: int,
        scene_seed: int = 0,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(image_size, batch_size, num_workers, augment)
        check_whole(0, train_size=train_size, val_size=val_size, test_size=test_size, scene_seed=scene_seed)
        self.sizes: dict[Split, int] = {"val": val_size, "test": test_size, "train": train_size}
        self.scene_seed = scene_seed

    def load(self) -> dict[Split, Pictures]:
        splits: dict[Split, Pictures] = {}
        first = 0
        for split, size in self.sizes.items():
            splits[split] = SceneDataset(first, size, self.image_size, self.scene_seed)
            first += size
        return splits

    def empty_split(self, split: Split) -> str:
        return f"data.{split}_size is {self.sizes[split]}: at least one scene is needed."
