"""Flips and crops on whole batches of uint8."""

import pytest
import pytorch_lightning as pl
import torch

from colorize.data.base import random_crop, random_flip, random_zoom
from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError


def make_batch() -> dict[str, torch.Tensor]:
    """Gray is the red channel, so that a gray picture moved unlike its colour shows."""
    rgb = torch.randint(256, (64, 3, 12, 14), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return {"rgb": rgb, "gray": rgb[:, :1].clone(), "index": torch.arange(64)}


def test_random_flip_mirrors_about_half_and_gray_alike() -> None:
    torch.manual_seed(0)
    batch = make_batch()
    flipped = random_flip(batch)
    same = (flipped["rgb"] == batch["rgb"]).flatten(1).all(1)
    mirrored = (flipped["rgb"] == batch["rgb"].flip(-1)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48
    assert torch.equal(flipped["gray"], flipped["rgb"][:, :1])
    assert torch.equal(flipped["index"], batch["index"])
    assert flipped["rgb"].dtype == torch.uint8


def test_random_crop_shifts_and_repeats_the_border() -> None:
    torch.manual_seed(0)
    batch = make_batch()
    cropped = random_crop(batch, 2)
    assert cropped["rgb"].shape == batch["rgb"].shape
    assert torch.equal(cropped["gray"], cropped["rgb"][:, :1])
    padded = torch.nn.functional.pad(batch["rgb"].float(), (2, 2, 2, 2), mode="replicate").byte()
    shifts = set()
    for number in range(64):
        found = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if torch.equal(cropped["rgb"][number], padded[number, :, top : top + 12, left : left + 14])
        ]
        assert len(found) == 1
        shifts.update(found)
    assert len(shifts) > 15


def test_random_zoom_shows_a_part_of_each_picture() -> None:
    torch.manual_seed(0)
    across = torch.linspace(0, 255, 64).expand(3, 48, 64)
    down = torch.linspace(0, 255, 48)[:, None].expand(3, 48, 64)
    batch = {"rgb": torch.stack([across, down] * 32).byte(), "index": torch.arange(64)}
    zoomed = random_zoom(batch | {"gray": batch["rgb"][:, :1]}, 0.5)
    assert zoomed["rgb"].dtype == torch.uint8
    assert torch.equal(zoomed["gray"], zoomed["rgb"][:, :1])
    least, most = zoomed["rgb"].float().amin((1, 2, 3)), zoomed["rgb"].float().amax((1, 2, 3))
    shares = (most - least) / 255
    assert 0.45 < shares.min() < 0.6
    assert 0.9 < shares.max() <= 1
    assert (least.max() > 60) & (most.min() < 200)  # parts from every side
    assert torch.equal(random_zoom(batch, 1.0)["rgb"], batch["rgb"])


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5])
def test_a_crop_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(ColorizeError, match=r"data\.crop_scale is .*above 0 and at most 1"):
        SceneData(16, 4, train_size=8, val_size=4, test_size=4, crop_scale=scale)


def test_only_training_batches_are_changed() -> None:
    data = SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4, crop_padding=3)
    batch = make_batch()
    assert data.on_after_batch_transfer(batch, 0) is batch
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.validating = True
    assert data.on_after_batch_transfer(batch, 0) is batch
    data.trainer.training = True
    assert not torch.equal(data.on_after_batch_transfer(batch, 0)["rgb"], batch["rgb"])


def test_the_parts_of_the_scenes_do_not_mix_and_stay_when_training_grows() -> None:
    small, large = (
        SceneData(image_size=16, batch_size=3, train_size=size, val_size=4, test_size=5) for size in (7, 20)
    )
    for data in (small, large):
        data.setup("fit")
    numbers = {part: set(small.sample(part, 100)["index"].tolist()) for part in ("train", "val", "test")}  # type: ignore[arg-type]
    assert {part: len(found) for part, found in numbers.items()} == {"train": 7, "val": 4, "test": 5}
    assert len(set.union(*numbers.values())) == 16
    for part in ("val", "test"):
        assert torch.equal(small.sample(part, 4)["rgb"], large.sample(part, 4)["rgb"])  # type: ignore[arg-type]
    sizes = [batch["rgb"].shape[0] for batch in small.train_dataloader()]
    assert sizes == [3, 3]  # a last, smaller batch is left out
    assert [len(batch["index"]) for batch in small.test_dataloader()] == [3, 2]
