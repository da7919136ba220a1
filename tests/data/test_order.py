"""The order of training pictures follows from seed and epoch, and goes on in the middle of an epoch."""

from itertools import chain, islice
from typing import Any

import pytest
import torch
from torch.utils.data import RandomSampler, WeightedRandomSampler

from colorize.data.order import EpochSampler, EvaluationSampler, TrainLoader
from colorize.errors import ColorizeError
from tests.training.small import make_data

KINDS = ["each", "weighted"]


def make_sampler(kind: str, **arguments: Any) -> EpochSampler:
    draw = RandomSampler(range(21)) if kind == "each" else WeightedRandomSampler([1.0] * 20 + [20.0], 21)
    return EpochSampler(draw, **arguments)


def make_loader(pictures: int = 22, **arguments: Any) -> TrainLoader:
    torch.manual_seed(3)
    data = make_data(train_size=pictures, batch_size=4, **arguments)
    data.setup("fit")
    loader = data.train_dataloader()
    assert isinstance(loader, TrainLoader)
    return loader


def epoch(loader: TrainLoader, number: int) -> list[list[int]]:
    loader.sampler.set_epoch(number)  # type: ignore[union-attr]
    return [batch["index"].tolist() for batch in loader]


@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_does_not_depend_on_what_was_drawn_before(kind: str) -> None:
    one, other = make_sampler(kind, seed=5), make_sampler(kind, seed=5)
    orders = []
    for number in range(3):
        one.set_epoch(number)
        orders.append(list(one))
    torch.rand(7)
    other.set_epoch(2)
    assert list(other) == orders[2] != orders[1] != orders[0]
    assert list(make_sampler(kind, seed=6)) != orders[0]


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_take_turns_in_what_one_process_would_see(kind: str) -> None:
    whole = list(make_sampler(kind))
    first, second = (list(make_sampler(kind, ranks=2, rank=rank)) for rank in range(2))
    assert [number for pair in zip(first, second, strict=True) for number in pair] == whole[:20]
    assert len(first) == len(second) == 10  # of 21; none comes twice
    if kind == "each":
        assert sorted(whole) == list(range(21))


@pytest.mark.parametrize("pictures", [2, 3, 8, 9, 16, 17, 100])
@pytest.mark.parametrize("batch_size", [1, 4, 8, 200])
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_an_evaluation_evenly(pictures: int, batch_size: int, ranks: int) -> None:
    """Each picture once, as many batches on each rank, none larger than asked for (or than one more than one)."""
    if pictures < ranks:
        with pytest.raises(ColorizeError, match="2 pictures to validate with cannot be shared by 3 processes: give"):
            EvaluationSampler(pictures, batch_size, ranks, 0)
        return
    shares = [list(EvaluationSampler(pictures, batch_size, ranks, rank)) for rank in range(ranks)]
    assert sorted(chain(*chain(*shares))) == list(range(pictures))
    assert len({len(share) for share in shares}) == 1
    assert all(1 <= len(batch) <= max(batch_size, 2) for batch in chain(*shares))


def test_a_new_epoch_begins_at_its_begin() -> None:
    sampler = make_sampler("each")
    sampler.start = 5
    assert len(list(sampler)) == 16
    assert len(list(sampler)) == 21
    sampler.start = 5
    sampler.set_epoch(1)
    assert len(list(sampler)) == 21


@pytest.mark.parametrize("num_workers", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("taken", [0, 2, 5])
def test_an_epoch_goes_on_after_the_last_batch_that_was_handed_out(taken: int, num_workers: int) -> None:
    """However many batches the workers have fetched ahead."""
    whole = epoch(make_loader(), 1)
    loader = make_loader(num_workers=num_workers)
    loader.sampler.set_epoch(1)  # type: ignore[union-attr]
    assert [batch["index"].tolist() for batch in islice(loader, taken)] == whole[:taken]
    state = loader.state_dict()
    resumed = make_loader(num_workers=num_workers)
    resumed.load_state_dict(state)
    assert len(resumed) == len(whole) == 5
    assert epoch(resumed, 1) == whole[taken:]
    assert epoch(resumed, 2) == epoch(make_loader(), 2)


def test_the_seed_of_the_checkpoint_holds() -> None:
    state = make_loader().state_dict()
    torch.manual_seed(4)
    data = make_data(train_size=22, batch_size=4)
    data.setup("fit")
    other = data.train_dataloader()
    assert isinstance(other, TrainLoader)
    other.load_state_dict(state)
    assert epoch(other, 0) == epoch(make_loader(), 0)


def test_between_two_batches_nothing_is_fetched_yet() -> None:
    loader, told = make_loader(), []
    loader.before_batch = lambda: told.append(loader.state_dict()["batches"])
    for _ in islice(loader, 3):
        told.append("batch")
    assert told == [0, "batch", 1, "batch", 2, "batch"]


def test_other_data_is_named() -> None:
    with pytest.raises(
        ColorizeError, match=r"holds 23 pictures, but 22 when the checkpoint was written: give the data"
    ):
        make_loader(23).load_state_dict(make_loader(22).state_dict())
