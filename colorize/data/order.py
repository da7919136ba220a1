"""The order in which pictures come, on one rank of several: each once, the same ones however many ranks there are.

That of each training epoch follows from the seed, and may begin anywhere.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, RandomSampler, WeightedRandomSampler

from colorize.errors import ColorizeError


class EpochSampler(DistributedSampler[int]):
    """A rank's share of the pictures that a random sampler draws, those of each epoch from (`seed`, epoch) alone.

    All ranks draw the same list and take turns in it, so that a global batch does not depend on their number. Pictures
    that are left when each rank has as many as the others wait for another epoch; none comes twice.

    Args:
        draw: what draws the pictures of an epoch.
        ranks, rank: how many processes train, and which one this is.
        seed: of all epochs.

    Attributes:
        start: how many of its pictures the next epoch leaves out, since they were seen before the training stopped.
    """

    def __init__(
        self, draw: RandomSampler | WeightedRandomSampler, ranks: int = 1, rank: int = 0, seed: int = 0
    ) -> None:
        enough = len(draw) >= ranks  # else some come twice, since a rank without pictures could not train
        super().__init__(draw, ranks, rank, False, seed, drop_last=enough)  # type: ignore[arg-type] # its length counts
        self.draw = draw
        self.draw.generator = torch.Generator()
        self.start = 0

    def __iter__(self) -> Iterator[int]:
        (seed,) = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1, np.uint64)
        self.draw.generator.manual_seed(int(seed))
        drawn = list(self.draw)
        share = [drawn[place] for place in super().__iter__()]
        start, self.start = self.start, 0
        return iter(share[start:])

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.start = 0
        super().set_epoch(epoch)


class EvaluationSampler(DistributedSampler[Any]):
    """A rank's batches of an evaluation: each picture comes once, on one rank, and all ranks have as many batches.

    torch's own sampler shows some pictures twice, to make the shares equal, and they would count twice in metrics. The
    number of batches must be the same, since BatchNorm's statistics are exchanged with each; their size may differ by
    one picture.

    Args:
        pictures: how many there are in all.
        batch_size: pictures in a batch, at most; one more where 1 leaves no other way.
        ranks, rank: how many processes evaluate, and which one this is.

    Raises:
        ColorizeError: there are fewer pictures than ranks.
    """

    def __init__(self, pictures: int, batch_size: int, ranks: int, rank: int) -> None:
        if pictures < ranks:
            raise ColorizeError(
                f"{pictures} pictures to validate with cannot be shared by {ranks} processes: give more of them, "
                "or use fewer devices."
            )
        super().__init__(range(pictures), ranks, rank, shuffle=False)  # type: ignore[arg-type] # its length counts
        batches = min(math.ceil(math.ceil(pictures / ranks) / batch_size), pictures // ranks)
        share = np.array_split(np.arange(pictures), ranks)[rank]
        self.batches = [batch.tolist() for batch in np.array_split(share, batches)]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


class Batches(Dataset[dict[str, Tensor]]):
    """A data set that is asked for lists of pictures, as an `EvaluationSampler` gives them."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getitem__(self, indices: list[int]) -> dict[str, Tensor]:
        batch: dict[str, Tensor] = self.dataset.__getitems__(indices)
        return batch


class TrainLoader(DataLoader[dict[str, Tensor]]):
    """A DataLoader over an `EpochSampler` that knows its place in the epoch, which Lightning puts into checkpoints.

    What its worker processes have fetched ahead does not count: an epoch goes on with the batch after the last one
    that was handed out.

    Attributes:
        before_batch: called before each batch is fetched, when all that belongs to the one before it is done.
    """

    before_batch: Callable[[], object] = staticmethod(lambda: None)
    _place = (0, 0)  # the epoch, and the batches of it that were handed out

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # torch promises an iterator class of its own
        """Nothing is fetched before the first batch is asked for, since only then the epoch is known."""
        sampler = self.sampler
        epoch, taken = (sampler.epoch, sampler.start // self._size) if isinstance(sampler, EpochSampler) else (0, 0)
        self._place = (epoch, taken)
        self.before_batch()
        for batch in super().__iter__():
            taken += 1
            self._place = (epoch, taken)
            yield batch
            self.before_batch()

    def state_dict(self) -> dict[str, int]:
        """Where the epoch stands: plain numbers."""
        sampler = self.sampler
        if not isinstance(sampler, EpochSampler):
            return {}
        epoch, taken = self._place
        taken = taken if epoch == sampler.epoch else 0
        return {"seed": sampler.seed, "epoch": sampler.epoch, "batches": taken, "pictures": len(sampler.draw)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` stood.

        Raises:
            ColorizeError: the training data is not as large as it was.
        """
        sampler = self.sampler
        if not isinstance(sampler, EpochSampler) or not state:
            return
        if state["pictures"] != len(sampler.draw):
            raise ColorizeError(
                f"The training data holds {len(sampler.draw)} pictures, but {state['pictures']} when the checkpoint "
                "was written: give the data of that run, or start a new training from its weights with model.init_from."
            )
        sampler.seed, sampler.epoch, sampler.start = state["seed"], state["epoch"], state["batches"] * self._size

    @property
    def _size(self) -> int:
        assert self.batch_size is not None
        return self.batch_size
