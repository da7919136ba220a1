"""Pictures in shards, read as what they are: whole numbers and pixels."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from colorize.data.base import Pictures, Split, gather, to_channels_first
from colorize.data.shards import HEADER
from colorize.data.store import Shard, Store, shards_of
from colorize.errors import ColorizeError, first_line
from colorize.files import remove_temporaries, write_whole

OPEN_SHARDS = 64  # mapped at once, of each process


class StoredPictures(Pictures):
    """The pictures of a split of one or several stores, counted through.

    A shard of an object store is downloaded once, whole or not at all, into `cache`, which all processes of a machine
    share. Indices and shards are data: nothing in them is unpickled, and what does not look like pictures is refused.

    Args:
        stores: each holds what `write_shards` wrote.
        split: which part.
        size: height and width of the pictures.
        cache: a folder for downloaded shards.
        limit: bytes of downloaded shards to keep; None for all.

    Raises:
        ColorizeError: a store cannot be read, or holds something else.
    """

    def __init__(self, stores: Sequence[Store], split: Split, size: int, cache: Path, limit: int | None = None) -> None:
        self.split, self.size, self.limit = split, size, limit
        self.shards = [shard for store in stores for shard in shards_of(store, split, size, cache)]
        for folder in {shard.path.parent for shard in self.shards if shard.store.remote}:
            remove_temporaries(folder)  # of processes that were killed
        self.sizes = np.array([shard.pictures for shard in self.shards], np.int64)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self._maps: OrderedDict[int, np.ndarray] = OrderedDict()
        self._before: list[int] = []
        self._kept: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return int(self.sizes.sum())

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = np.asarray(indices, np.int64)
        images = gather(rows, self.starts, self._map, (self.size, self.size, 3))
        return {"rgb": to_channels_first(images), "index": torch.from_numpy(rows)}

    def prefetch(self, now: Sequence[int], soon: Sequence[int]) -> None:
        """Start to download the shards of these numbers, and make room for them.

        An error shows when the shard is read. The shards that were `now` in the call before are kept too, since a batch
        may hold pictures of both.
        """
        wanted = [number for number in [*now, *soon] if self.shards[number].store.remote]
        if not wanted:
            return
        missing = [number for number in wanted if not _mark_as_used(self.shards[number].path)]
        self._kept = {*self._before, *wanted}
        keep = {self.shards[number].path for number in self._kept}
        self._make_room(keep, sum(self.shards[number].bytes for number in missing))
        self._before = list(now)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(4, thread_name_prefix="shards")
        for number in missing:
            self._pool.submit(self._fetch, number, ahead=True)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_maps": OrderedDict(), "_pool": None}

    def _map(self, number: int) -> np.ndarray:
        """The pixels of a shard, uint8 (pictures, size, size, 3), mapped from its file."""
        if number in self._maps:
            self._maps.move_to_end(number)
            return self._maps[number]
        shard = self.shards[number]
        while True:
            self._fetch(number)
            try:
                content = np.memmap(shard.path, np.uint8, "r")
                break
            except FileNotFoundError:  # another process has made room; a local one that lacks was named by _fetch
                continue
            except ValueError as error:  # an empty file cannot be mapped
                raise _damaged(shard) from error
        if len(self._maps) >= OPEN_SHARDS:
            self._maps.popitem(last=False)
        self._maps[number] = _pixels(shard, content, self.size)
        return self._maps[number]

    def _fetch(self, number: int, ahead: bool = False) -> None:
        """Make sure that the shard's file is there; one fetched ahead only while it is still to be kept."""
        shard = self.shards[number]
        if shard.path.exists():
            return
        if not shard.store.remote:
            raise ColorizeError(f"{shard.path} is missing: copy it again, or write the shards anew.")
        try:
            if self.split != "train":  # for whose shards `prefetch` makes room
                self._make_room({shard.path}, shard.bytes)
            shard.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{shard.path}.lock"):
                if shard.path.exists() or (ahead and number not in self._kept):
                    return
                content = shard.store.read(shard.source)
                if len(content) != shard.bytes:
                    raise ColorizeError(f"{shard.source} has {len(content)} bytes, but its index says {shard.bytes}.")
                write_whole(shard.path, content)
        except OSError as error:
            raise ColorizeError(
                f"{shard.path} cannot be written ({first_line(error)}): make room, name another folder by "
                "data.cache_dir, or limit what is kept by data.cache_gb."
            ) from error

    def _make_room(self, keep: set[Path], coming: int) -> None:
        """Remove the shards that were not used for longest until those that are coming fit the limit."""
        if self.limit is None:
            return
        found = []
        for path in {shard.path for shard in self.shards if shard.store.remote}:
            try:
                status = path.stat()
                found.append((status.st_mtime_ns, path, status.st_size))
            except FileNotFoundError:
                continue
        there = sum(size for *_, size in found)
        for _, path, size in sorted(found):
            if there + coming <= self.limit:
                return
            if path not in keep:
                path.unlink(missing_ok=True)
                there -= size


def _pixels(shard: Shard, content: np.ndarray, size: int) -> np.ndarray:
    """A view of a shard's pixels: all pictures have one length, so that they need no decoding."""
    first = 4 * (shard.pictures + 2)
    if len(content) == shard.bytes:
        pictures: np.ndarray = content[first:].reshape(shard.pictures, HEADER + size * size * 3)
        header = np.array([HEADER - 4 + size * size * 3, 4, 3, size, size, 3], "<u4")  # bytes, uint8, (size, size, 3)
        if (pictures[:, :HEADER] == header.view(np.uint8)).all():
            shape, strides = (shard.pictures, size, size, 3), (pictures.strides[0], size * 3, 3, 1)
            return np.ndarray(shape, np.uint8, content, first + HEADER, strides)  # reshape would copy it
    raise _damaged(shard)


def _damaged(shard: Shard) -> ColorizeError:
    return ColorizeError(
        f"{shard.path} is damaged: remove it, so that it is downloaded again, or write the shards anew."
    )


def _mark_as_used(path: Path) -> bool:
    """Make a shard the most recently used one; False where it is not there."""
    try:
        os.utime(path)
    except OSError:  # it is not there, or another user's
        return path.exists()
    return True
