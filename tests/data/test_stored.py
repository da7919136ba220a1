"""Downloaded shards in a cache that other processes and users share."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from colorize.data.base import Split
from colorize.data.store import Store
from colorize.data.stored import StoredPictures
from tests.data.stream import SIZE

ADDRESS = "s3://bucket/shards"


class Remote(Store):
    """An object store whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(ADDRESS, {})
        self.folder = folder

    def read(self, address: str) -> bytes:
        return (self.folder / address.removeprefix(f"{ADDRESS}/")).read_bytes()


def stored(folder: Path, cache: Path, split: Split = "train", limit: int | None = None) -> StoredPictures:
    return StoredPictures([Remote(folder)], split, SIZE, cache, limit)


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_a_shard_may_be_removed_by_another_process_or_belong_to_another_user(
    error: type[OSError], shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = stored(shards, tmp_path)
    before = pictures.__getitems__([0])["rgb"]

    def fails(path: Path, *times: Any) -> None:
        if error is FileNotFoundError:
            path.unlink()
        raise error

    monkeypatch.setattr(os, "utime", fails)
    pictures.prefetch([0], [])
    if pictures._pool is not None:
        pictures._pool.shutdown()
    assert pictures.shards[0].path.exists()
    assert torch.equal(pictures.__getitems__([0])["rgb"], before)


def test_what_is_kept_of_an_evaluation_is_limited(shards: Path, tmp_path: Path) -> None:
    """No sampler fetches its shards ahead, and none makes room for them."""
    whole = stored(shards, tmp_path / "whole", "val")
    assert len(whole.shards) > 2
    pictures = stored(shards, tmp_path / "cache", "val", limit=2 * whole.shards[0].bytes)
    for number in range(len(pictures)):
        assert torch.equal(pictures.__getitems__([number])["rgb"], whole.__getitems__([number])["rgb"])
        assert len(list((tmp_path / "cache").rglob("*.bin"))) <= 2
