"""What all data have in common: three splits, and what is done to training batches alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from colorize.data.base import ImageArray
from colorize.data.cifar10 import CIFAR10Data
from colorize.data.scenes import SceneData
from colorize.data.streaming import StreamingData
from colorize.errors import ColorizeError
from tests.data.test_augment import make_batch


def test_only_training_batches_are_changed() -> None:
    data = SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4, augment={"crop_padding": 3})
    batch = make_batch()
    assert data.on_after_batch_transfer(batch, 0) is batch
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.validating = True
    assert data.on_after_batch_transfer(batch, 0) is batch
    data.trainer.training = True
    assert not torch.equal(data.on_after_batch_transfer(batch, 0)["rgb"], batch["rgb"])


def test_the_splits_of_the_scenes_do_not_mix_and_stay_when_training_grows() -> None:
    small, large = (
        SceneData(image_size=16, batch_size=3, train_size=size, val_size=4, test_size=5) for size in (7, 20)
    )
    for data in (small, large):
        data.setup("fit")
    numbers = {split: set(small.sample(split, 100)["index"].tolist()) for split in ("train", "val", "test")}  # type: ignore[arg-type]
    assert {split: len(found) for split, found in numbers.items()} == {"train": 7, "val": 4, "test": 5}
    assert len(set.union(*numbers.values())) == 16
    for split in ("val", "test"):
        assert torch.equal(small.sample(split, 4)["rgb"], large.sample(split, 4)["rgb"])  # type: ignore[arg-type]
    sizes = [batch["rgb"].shape[0] for batch in small.train_dataloader()]
    assert sizes == [3, 3]  # a last, smaller batch is left out
    assert [len(batch["index"]) for batch in small.test_dataloader()] == [3, 2]


def test_several_arrays_are_read_as_one() -> None:
    arrays = [np.full((count, 2, 2, 3), value, np.uint8) for count, value in ((3, 1), (0, 2), (4, 3), (1, 4), (0, 5))]
    one = np.concatenate(arrays)
    rows = np.array([7, 0, 3, 2, 6])
    dataset = ImageArray(arrays, rows)
    batch = dataset.__getitems__([4, 0, 1, 1, 2, 3])
    assert batch["index"].tolist() == [6, 7, 0, 0, 3, 2]
    np.testing.assert_array_equal(batch["rgb"].permute(0, 2, 3, 1), one[[6, 7, 0, 0, 3, 2]])


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_memory_is_pinned_for_a_training_on_a_gpu_alone(device: str) -> None:
    """Where there is a GPU, a training on the CPU would take some of its memory."""
    data = SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4)
    data.setup("fit")
    strategy = SimpleNamespace(root_device=torch.device(device))
    trainer: Any = SimpleNamespace(strategy=strategy, world_size=1, global_rank=0)
    data.trainer = trainer
    assert data.train_dataloader().pin_memory == data.val_dataloader().pin_memory == (device == "cuda")


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True])
def test_a_batch_without_pictures_is_refused(batch_size: Any) -> None:
    with pytest.raises(ColorizeError, match=r"data\.batch_size is .*, but must be a whole number of at least 1\."):
        SceneData(image_size=16, batch_size=batch_size, train_size=8, val_size=4, test_size=4)


def test_the_home_of_nobody_is_a_name_like_any_other() -> None:
    cache = "~nobody1/cache"
    assert StreamingData("shards", cache, 16, 4).cache_dir == Path(cache)
    assert CIFAR10Data("~nobody1/data", cache, 4, 0.1).root == Path("~nobody1/data")
