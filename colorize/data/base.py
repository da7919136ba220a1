"""One contract for all data: batches of uint8 RGB in three splits."""

import mmap
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler, WeightedRandomSampler

from colorize.data.augment import build_augment
from colorize.data.order import Batches, EpochSampler, EvaluationSampler, TrainLoader
from colorize.errors import ColorizeError

Split = Literal["train", "val", "test"]
SPLIT_NAMES: dict[Split, str] = {"train": "training", "val": "validation", "test": "test"}


class Pictures(Dataset[dict[str, Tensor]], ABC):
    """The pictures of a split, by number."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """A whole batch at once: `{"rgb": uint8 (B, 3, H, W), "index": int64 (B,)}`."""


class ImageArray(Pictures):
    """Some rows of uint8 arrays (N, H, W, 3) of one size.

    The arrays may be memory maps: a process that receives a copy of this maps the files again.
    """

    def __init__(self, arrays: Sequence[np.ndarray], rows: np.ndarray) -> None:
        self.arrays = list(arrays)
        self.starts = np.cumsum([0, *(len(array) for array in self.arrays[:-1])])
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = self.rows[np.asarray(indices)]
        return {"rgb": to_channels_first(self.read(rows)), "index": torch.from_numpy(rows)}

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 (len(rows), H, W, 3)."""
        if len(self.arrays) == 1:
            picked: np.ndarray = self.arrays[0][rows]
            return picked
        return gather(rows, self.starts, self.arrays.__getitem__, self.arrays[0].shape[1:])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"arrays": [_as_file(array) for array in self.arrays]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        arrays = [np.memmap(array[0], *array[1:]) if isinstance(array, tuple) else array for array in state["arrays"]]
        vars(self).update(state | {"arrays": arrays})


def _as_file(array: np.ndarray) -> np.ndarray | tuple[Any, ...]:
    """The arguments that map the file of a memory map again; any other array as it is, views of a map among them."""
    owner: Any = array.base
    if isinstance(array, np.memmap) and isinstance(owner, mmap.mmap):
        return array.filename, array.dtype, array.mode, array.offset, array.shape
    return np.asarray(array)


def gather(
    rows: np.ndarray, starts: np.ndarray, array: Callable[[int], np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """uint8 (len(rows), *shape), of rows that are counted through several arrays: `array(n)` begins at `starts[n]`."""
    images = np.empty((len(rows), *shape), np.uint8)
    array_of_row = np.searchsorted(starts, rows, side="right") - 1
    for number in np.unique(array_of_row).tolist():
        here = array_of_row == number
        images[here] = array(number)[rows[here] - starts[number]]
    return images


def to_channels_first(images: np.ndarray) -> Tensor:
    """uint8 (N, H, W, 3) -> uint8 (N, 3, H, W), without moving a byte."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)


class ImageData(pl.LightningDataModule, ABC):
    """Batches `{"rgb": uint8 (B, 3, H, W), "index": int64 (B,)}` in three splits that never mix.

    A subclass implements `load`. What is done to training pictures is done on the device, on whole batches.

    Args:
        image_size: height and width of the pictures.
        batch_size: pictures in a batch, per device.
        num_workers: processes that fetch batches; 0 is right for data that lies decoded in memory or a memory map.
        augment: what is done to training pictures, see `Augment`; None for its defaults.

    Raises:
        ColorizeError: a size or number that is no whole number, or too small, or as `build_augment`.

    Attributes:
        fixed_image_size: height and width of data that have one size by nature, else None.
    """

    fixed_image_size: int | None = None

    def __init__(
        self, image_size: int, batch_size: int, num_workers: int = 0, augment: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        check_whole(1, image_size=image_size, batch_size=batch_size)
        check_whole(0, num_workers=num_workers)
        self.image_size = image_size
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.augment = build_augment(augment)
        self.splits: dict[Split, Pictures] = {}

    @abstractmethod
    def load(self) -> dict[Split, Pictures]:
        """The three splits.

        Validation and test come in an order that has nothing to do with what the pictures show: their first ones are
        the samples that people look at.
        """

    def setup(self, stage: str) -> None:
        if self.trainer is not None:
            self.augment.rank = self.trainer.global_rank
        if not self.splits:
            self.splits = self.load()

    def train_sampler(self) -> RandomSampler | WeightedRandomSampler:
        """How training pictures are drawn: each once an epoch, in a random order."""
        return RandomSampler(self.splits["train"])

    def epoch_sampler(self, ranks: int, rank: int) -> EpochSampler:
        """Which training pictures come to a rank in each epoch, and in which order."""
        return EpochSampler(self.train_sampler(), ranks, rank, torch.initial_seed())

    def _loader(self, split: Split) -> DataLoader[dict[str, Tensor]]:
        pictures = self.splits[split]
        if not len(pictures):
            raise ColorizeError(self.empty_split(split))
        options: dict[str, Any] = {
            "num_workers": self.num_workers,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
            "collate_fn": as_it_is,
        }
        ranks, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer is not None else (1, 0)
        if split == "train":
            sampler = self.epoch_sampler(ranks, rank)
            options["generator"] = torch.Generator()  # seeds workers, which draw nothing at random
            whole = len(sampler) >= self.batch_size
            return TrainLoader(pictures, self.batch_size, sampler=sampler, drop_last=whole, **options)
        if ranks > 1:
            share = EvaluationSampler(len(pictures), self.batch_size, ranks, rank)
            return DataLoader(Batches(pictures), batch_size=None, sampler=share, **options)
        return DataLoader(pictures, self.batch_size, **options)

    def empty_split(self, split: Split) -> str:
        """The sentence for a split that holds no picture."""
        return f"The {SPLIT_NAMES[split]} split of the data holds no picture."

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("test")

    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        if self.trainer is None or not self.trainer.training:
            return batch
        return self.augment(batch)

    def sample(self, split: Split, count: int) -> dict[str, Tensor]:
        """A batch of a split's first `count` pictures: the same in every run of the data, however large the split."""
        pictures = self.splits[split]
        return pictures.__getitems__(range(min(count, len(pictures))))


def data_of(trainer: pl.Trainer) -> ImageData:
    """The data that a Trainer was given."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, ImageData)
    return data


def check_whole(least: int, **settings: object) -> None:
    """Raises a ColorizeError when a setting of `data` is no whole number of at least `least`."""
    for key, value in settings.items():
        if type(value) is not int or value < least:
            raise ColorizeError(f"data.{key} is {value}, but must be a whole number of at least {least}.")


def as_it_is(batch: Any) -> Any:
    """The collate function of data sets that fetch whole batches."""
    return batch
