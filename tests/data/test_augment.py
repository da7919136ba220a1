"""Flips and crops on whole batches of uint8, and the settings of the group data.augment."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Generator

from colorize.data.augment import Augment, build_augment, random_crop, random_flip, random_zoom
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


def test_a_picture_is_flipped_as_often_as_not() -> None:
    rgb = torch.tensor([0, 255], dtype=torch.uint8).expand(4096, 3, 1, 2)
    share = (random_flip({"rgb": rgb}, Generator().manual_seed(0))["rgb"][:, 0, 0, 0] == 255).float().mean()
    assert 0.47 < share < 0.53  # four standard deviations


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


def test_random_zoom_shows_a_window_of_each_picture() -> None:
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
    assert (least.max() > 60) & (most.min() < 200)  # windows from every side
    assert torch.equal(random_zoom(batch, 1.0)["rgb"], batch["rgb"])


def test_a_window_holds_nothing_from_outside() -> None:
    white = {"rgb": torch.full((64, 3, 9, 12), 255, dtype=torch.uint8)}
    assert (random_zoom(white, 0.3, Generator().manual_seed(0))["rgb"] == 255).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_scale": 0.0}, r"data\.augment\.crop_scale is 0.0, but must be above 0 and at most 1"),
        ({"crop_scale": 1.5}, r"data\.augment\.crop_scale is 1.5"),
        ({"crop_size": 0}, r"data\.augment\.crop_size is 0, but must be null or a whole number of at least 1"),
        ({"crop_scale": "half"}, r"data\.augment\.crop_scale is half"),
        ({"crop_padding": -1}, r"data\.augment\.crop_padding is -1, but must be a whole number of at least 0"),
        ({"crop_padding": 1.5}, r"data\.augment\.crop_padding is 1.5"),
        ({"crop_padding": True}, r"data\.augment\.crop_padding is True"),
        ({"ageing": -0.1}, r"data\.augment\.ageing is -0.1, but must be at least 0 and at most 1"),
        ({"ageing": 1.5}, r"data\.augment\.ageing is 1.5"),
        ({"ageing": True}, r"data\.augment\.ageing is True"),
        ({"ageing": "half"}, r"data\.augment\.ageing is half"),
        ({"flip": 1}, r"data\.augment\.flip is 1, but must be true or false"),
        (False, r"data\.augment is False, but must hold settings: data\.augment\.flip=false turns flips off"),
        ("none", r"data\.augment is none, but must hold settings"),
        ({"flp": True}, r"data\.augment\.flp is no setting: use ageing, crop_padding, crop_scale, crop_size, flip"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(settings: object, words: str) -> None:
    with pytest.raises(ColorizeError, match=words) as caught:
        build_augment(settings)
    assert "\n" not in str(caught.value)


def test_nothing_is_done_when_all_is_off() -> None:
    batch = make_batch()
    kept = Augment(flip=False)(batch)
    assert all(torch.equal(kept[name], batch[name]) for name in batch)


@pytest.mark.parametrize("settings", [{}, {"flip": False, "crop_padding": 3}, {"flip": False, "crop_scale": 0.5}])
def test_random_numbers_differ_by_rank_and_seed_and_repeat(settings: dict[str, Any]) -> None:
    def augmented(seed: int, rank: int) -> torch.Tensor:
        torch.manual_seed(seed)
        augment = Augment(**settings)
        augment.rank = rank
        torch.rand(rank + 1)  # what else a rank draws does not matter
        return torch.stack([augment(make_batch())["rgb"] for _ in range(2)])

    of_rank = [augmented(0, rank) for rank in range(3)]
    assert torch.equal(of_rank[1], augmented(0, 1))
    others = [*of_rank, augmented(1, 0)]
    assert not any(torch.equal(a, b) for number, a in enumerate(others) for b in others[:number])
    assert not torch.equal(of_rank[0][0], of_rank[0][1])


def test_the_state_of_the_generator_is_all_that_goes_on() -> None:
    torch.manual_seed(0)
    augment = Augment(crop_padding=3, crop_scale=0.5)
    augment(make_batch())
    assert augment.generator is not None
    state = augment.generator.get_state()
    expected = augment(make_batch())["rgb"]
    torch.manual_seed(7)
    other = Augment(crop_padding=3, crop_scale=0.5)
    other(make_batch())
    assert other.generator is not None
    other.generator.set_state(state)
    assert torch.equal(other(make_batch())["rgb"], expected)


@pytest.mark.parametrize(
    "change", [random_flip, lambda batch, g: random_crop(batch, 2, g), lambda batch, g: random_zoom(batch, 0.5, g)]
)
def test_torch_s_own_random_numbers_are_left_alone(change: Callable[[Any, Generator], Any]) -> None:
    state = torch.get_rng_state()
    change(make_batch(), Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), state)


def test_crop_size_resizes_training_pictures() -> None:
    batch = make_batch()
    resized = Augment(flip=False, crop_size=7)(batch)
    expected = torch.nn.functional.interpolate(batch["rgb"].float(), (7, 7), mode="bilinear").round().byte()
    assert (resized["rgb"].int() - expected.int()).abs().max() <= 1
    assert torch.equal(resized["gray"], resized["rgb"][:, :1])
