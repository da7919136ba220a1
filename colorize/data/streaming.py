"""Shards of pictures, streamed: more of them than a disk holds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import RandomSampler

from colorize.data.base import SPLIT_NAMES, ImageData, Pictures, Split, check_whole
from colorize.data.order import EpochSampler
from colorize.data.store import Store
from colorize.data.stored import StoredPictures
from colorize.errors import ColorizeError
from colorize.files import expand_home

SECRET = ("key", "secret", "token", "password", "credential")  # in the name of an option


class ShardSampler(EpochSampler):
    """A rank's share of the pictures of an epoch, a few shards at a time.

    In each epoch the shards are shuffled, and then the pictures within each group of `mix` shards. Each rank takes one
    part of that list, so that a shard is read by one rank, or by two where a part ends in it.

    Args:
        pictures: of the training split.
        mix: how many shards.
        ranks, rank, seed: see `EpochSampler`.
    """

    def __init__(self, pictures: StoredPictures, mix: int, ranks: int, rank: int, seed: int) -> None:
        super().__init__(RandomSampler(pictures), ranks, rank, seed)  # only its length counts
        self.pictures, self.mix = pictures, mix

    def __iter__(self) -> Iterator[int]:
        if len(self.pictures) < self.num_replicas:
            return super().__iter__()
        start, self.start = self.start, 0
        return self._walk(self.rank * self.num_samples + start, (self.rank + 1) * self.num_samples)

    def _walk(self, first: int, last: int) -> Iterator[int]:
        """From place `first` to before place `last` of the epoch's list, of which never more than a group is made."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.pictures.sizes))
        groups = [order[begin : begin + self.mix] for begin in range(0, len(order), self.mix)]
        end = 0
        for number, group in enumerate(groups):
            begin, end = end, end + int(self.pictures.sizes[group].sum())
            if end <= first:
                continue
            if begin >= last:
                return
            later = groups[number + 1] if end < last and number + 1 < len(groups) else order[:0]
            self.pictures.prefetch(group.tolist(), later.tolist())
            rows = np.concatenate([self.pictures.starts[n] + np.arange(self.pictures.sizes[n]) for n in group])
            np.random.default_rng([self.seed, self.epoch, number]).shuffle(rows)
            yield from rows[max(first - begin, 0) : last - begin].tolist()


class StreamingData(ImageData):
    """What `python -m colorize.data.shards` wrote, in a local folder or an object store.

    Args:
        root: a folder, an address such as s3://BUCKET/FOLDER, or a list of them.
        storage_options: of an object store's client; for s3:// boto3's, such as `endpoint_url`. Credentials come from
            the environment.
        cache_dir: where downloaded shards are kept.
        cache_gb: how many gigabytes of them, of each split; None for all.
        mix_shards: how many shards training pictures are mixed from at a time. Room for three times as many is taken,
            whatever `cache_gb` is: for those before, which the last batch may still need, and for the next.
        image_size: of the pictures in the shards.
        batch_size, num_workers, augment: see `ImageData`.
    """

    def __init__(
        self,
        root: str | Sequence[str],
        cache_dir: str,
        image_size: int,
        batch_size: int,
        storage_options: Mapping[str, Any] | None = None,
        cache_gb: float | None = None,
        mix_shards: int = 8,
        num_workers: int = 0,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(image_size, batch_size, num_workers, augment)
        roots = [root] if isinstance(root, str) else list(root)
        if not roots:
            raise ColorizeError("No shards are named: add data.root=FOLDER or data.root=s3://BUCKET/FOLDER.")
        check_whole(1, mix_shards=mix_shards)
        if cache_gb is not None and not (isinstance(cache_gb, int | float) and 0 < cache_gb < math.inf):
            raise ColorizeError(f"data.cache_gb is {cache_gb}, but must be a number above 0, or null.")
        for key in storage_options or {}:
            if any(word in str(key).lower() for word in SECRET):
                raise ColorizeError(
                    f"data.storage_options.{key} would be written into config.yaml and checkpoints: give credentials "
                    "in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
                )
        self.stores = [Store(one, storage_options or {}) for one in roots]
        self.cache_dir, self.mix_shards = expand_home(cache_dir), mix_shards
        self.limit = None if cache_gb is None else int(cache_gb * 1e9)

    def load(self) -> dict[Split, Pictures]:
        return {
            split: StoredPictures(self.stores, split, self.image_size, self.cache_dir, self.limit)
            for split in SPLIT_NAMES
        }

    def epoch_sampler(self, ranks: int, rank: int) -> EpochSampler:
        pictures = self.splits["train"]
        assert isinstance(pictures, StoredPictures)
        return ShardSampler(pictures, self.mix_shards, ranks, rank, torch.initial_seed())

    def empty_split(self, split: Split) -> str:
        return f"The shards of data.root hold no picture for {split}: write them with larger fractions."
