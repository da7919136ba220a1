"""One contract for all data: batches of uint8 RGB, flips and crops on the device, three parts."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from colorize.errors import ColorizeError

Part = Literal["train", "val", "test"]
PART_NAMES: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}


class ImageArray(Dataset[dict[str, Tensor]]):
    """Some rows of a uint8 array (N, H, W, 3), which may be a memory map; fetches a whole batch at once."""

    def __init__(self, images: np.ndarray, rows: np.ndarray) -> None:
        self.images = images
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = self.rows[np.asarray(indices)]
        return {"rgb": to_channels_first(self.images[rows]), "index": torch.from_numpy(rows)}


def to_channels_first(images: np.ndarray) -> Tensor:
    """uint8 (N, H, W, 3) -> uint8 (N, 3, H, W), without moving a byte."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def random_flip(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mirrors each picture of the batch left to right with probability one half, gray and colour alike."""
    rgb = batch["rgb"]
    flipped = torch.rand(len(rgb), 1, 1, 1, device=rgb.device) < 0.5
    return {
        name: torch.where(flipped, value.flip(-1), value) if value.ndim == 4 else value for name, value in batch.items()
    }


def random_crop(batch: Mapping[str, Tensor], padding: int) -> dict[str, Tensor]:
    """Shifts each picture by up to `padding` pixels each way; what comes in from outside repeats the border."""
    rgb = batch["rgb"]
    count, (height, width), device = len(rgb), rgb.shape[-2:], rgb.device
    top, left = torch.randint(2 * padding + 1, (2, count, 1), device=device) - padding
    rows = (top + torch.arange(height, device=device)).clamp(0, height - 1)
    columns = (left + torch.arange(width, device=device)).clamp(0, width - 1)
    which = torch.arange(count, device=device)[:, None, None]
    return {
        name: value.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if value.ndim == 4
        else value
        for name, value in batch.items()
    }


def random_zoom(batch: Mapping[str, Tensor], least: float) -> dict[str, Tensor]:
    """Shows of each picture a random part, of `least` to 1 of its height and width, enlarged to its size (bilinear)."""
    rgb = batch["rgb"]
    count, size, device = len(rgb), rgb.shape[-2:], rgb.device
    share = least + (1 - least) * torch.rand(count, device=device)
    shift = (2 * torch.rand(2, count, device=device) - 1) * (1 - share)
    nothing = torch.zeros_like(share)
    theta = torch.stack([share, nothing, shift[0], nothing, share, shift[1]], dim=1).view(count, 2, 3)
    grid = F.affine_grid(theta, [count, 1, *size], align_corners=False)

    def zoom(images: Tensor) -> Tensor:
        enlarged = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
        return enlarged.round().to(images.dtype)

    return {name: zoom(value) if value.ndim == 4 else value for name, value in batch.items()}


class ImageData(pl.LightningDataModule, ABC):
    """Batches `{"rgb": uint8 (B, 3, H, W), "index": int64 (B,)}` in three parts that never mix.

    A subclass answers `load`. What is done to training pictures is done here, on the device, on whole batches.

    Args:
        image_size: height and width of the pictures.
        batch_size: pictures in a batch, per device.
        num_workers: processes that fetch batches; 0 is right for data that lies decoded in memory or a memory map.
        flip: mirror training pictures at random.
        crop_padding: shift training pictures at random by up to this many pixels, 0 for none.
        crop_scale: show a random part of training pictures, of at least this share of their height and width, 1 for
            the whole.

    Attributes:
        fixed_image_size: height and width of data that have one size by nature, else None.
    """

    fixed_image_size: int | None = None

    def __init__(
        self,
        image_size: int,
        batch_size: int,
        num_workers: int = 0,
        flip: bool = True,
        crop_padding: int = 0,
        crop_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.flip = flip
        self.crop_padding = crop_padding
        if not 0 < crop_scale <= 1:
            raise ColorizeError(f"data.crop_scale is {crop_scale}, but must be above 0 and at most 1.")
        self.crop_scale = crop_scale
        self.parts: dict[Part, Dataset[dict[str, Tensor]]] = {}

    @abstractmethod
    def load(self) -> dict[Part, Dataset[dict[str, Tensor]]]:
        """The parts, each a data set whose `__getitems__` gives a batch.

        Validation and test come in an order that has nothing to do with what the pictures show: their first ones are
        the samples that people look at.
        """

    def setup(self, stage: str) -> None:
        if not self.parts:
            self.parts = self.load()

    def _loader(self, part: Part) -> DataLoader[dict[str, Tensor]]:
        dataset = self.parts[part]
        if not len(dataset):  # type: ignore[arg-type]
            raise ColorizeError(self.empty_part(part))
        ranks = self.trainer.world_size if self.trainer is not None else 1
        share = -(-len(dataset) // ranks)  # type: ignore[arg-type]  # as Lightning's sampler deals them out
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            shuffle=part == "train",
            drop_last=part == "train" and share >= self.batch_size,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=as_it_is,
        )

    def empty_part(self, part: Part) -> str:
        """The sentence for a part that holds no picture."""
        return f"The {PART_NAMES[part]} part of the data holds no picture: change data.{part}_fraction."

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        return self._loader("test")

    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        if self.trainer is None or not self.trainer.training:
            return batch
        if self.flip:
            batch = random_flip(batch)
        if self.crop_padding:
            batch = random_crop(batch, self.crop_padding)
        if self.crop_scale < 1:
            batch = random_zoom(batch, self.crop_scale)
        return batch

    def sample(self, part: Part, count: int) -> dict[str, Tensor]:
        """A batch of a part's first `count` pictures: the same in every run of the data, however large the part."""
        dataset: Any = self.parts[part]
        batch: dict[str, Tensor] = dataset.__getitems__(range(min(count, len(dataset))))
        return batch


def as_it_is(batch: Any) -> Any:
    """The collate function of data sets that fetch whole batches."""
    return batch
