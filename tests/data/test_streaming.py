"""Shards: how they are streamed from a disk and from an object store, what is refused."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from moto.server import ThreadedMotoServer

from colorize.data.order import TrainLoader
from colorize.data.shards import write_shards
from colorize.data.stored import StoredPictures
from colorize.data.streaming import ShardSampler, StreamingData
from colorize.errors import ColorizeError
from colorize.training.resume import LastCheckpoint, Stopped
from tests.data.stream import SIZE, as_set, epoch, loaded, make
from tests.training.resume.test_stop import Signal
from tests.training.small import make_task, make_trainer


@pytest.fixture(scope="module")
def bucket(shards: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The shards in an S3-compatible server on the loopback: their address, and the options of its client."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    environment = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.setenv(name, "testing")
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server.start()
    options = {"endpoint_url": "http://{}:{}".format(*server.get_host_and_port())}
    client = boto3.client("s3", **options)
    client.create_bucket(Bucket="pictures")
    for path in shards.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), "pictures", f"some/{path.relative_to(shards).as_posix()}")
    yield "s3://pictures/some", options
    server.stop()
    environment.undo()


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_each_picture_comes_once_an_epoch_from_few_shards_at_a_time(ranks: int, shards: Path, tmp_path: Path) -> None:
    pictures = loaded(shards, tmp_path).splits["train"]
    assert isinstance(pictures, StoredPictures)
    epochs = []
    for number in range(2):
        shares = []
        for rank in range(ranks):
            sampler = ShardSampler(pictures, 2, ranks, rank, seed=3)
            sampler.set_epoch(number)
            share = list(sampler)
            assert len(share) == len(sampler) == len(pictures) // ranks
            shard_of = np.searchsorted(pictures.starts, share, side="right")
            for begin in range(0, len(share) - 6, 6):
                assert len(set(shard_of[begin : begin + 6])) <= 4  # of two groups of two
            sampler.start = 5
            assert list(sampler) == share[5:]
            shares += share
        assert len(set(shares)) == len(shares) > len(pictures) - ranks
        epochs.append(shares)
    assert epochs[0] != epochs[1]


def test_an_epoch_goes_on_after_the_last_batch_that_was_handed_out(shards: Path, tmp_path: Path) -> None:
    torch.manual_seed(2)
    whole = epoch(loaded(shards, tmp_path), 1)
    torch.manual_seed(2)
    loader = loaded(shards, tmp_path).train_dataloader()
    assert isinstance(loader, TrainLoader)
    loader.sampler.set_epoch(1)  # type: ignore[union-attr]
    list(islice(loader, 3))
    resumed = loaded(shards, tmp_path).train_dataloader()
    assert isinstance(resumed, TrainLoader)
    resumed.load_state_dict(loader.state_dict())
    rest = [batch["rgb"] for batch in resumed]
    assert len(rest) == len(whole) - 3 > 3
    assert all(torch.equal(one, other) for one, other in zip(rest, whole[3:], strict=True))


def fit(folder: Path, data: StreamingData, *callbacks: pl.Callback, resume: bool = False) -> Any:
    torch.manual_seed(1)
    trainer = make_trainer(folder, [*callbacks, LastCheckpoint(str(folder))], max_epochs=2)
    ckpt_path = folder / "last.ckpt" if resume else None
    trainer.fit(make_task(), datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    return torch.load(folder / "last.ckpt", weights_only=True)["state_dict"]


@pytest.mark.filterwarnings("ignore")
def test_a_training_that_is_stopped_goes_on_exactly(
    shards: Path, bucket: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """From an object store, on a machine that has no shard yet, as from the local folder in one go."""
    address, options = bucket
    whole = fit(tmp_path / "whole", make(shards, tmp_path))
    data = make(address, tmp_path / "cache", storage_options=options)
    with pytest.raises(Stopped):
        fit(tmp_path / "run", data, Signal(15, "on_train_batch_start"))
    data = make(address, tmp_path / "other", storage_options=options)
    resumed = fit(tmp_path / "run", data, resume=True)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_an_object_store_gives_what_the_folder_gives(
    shards: Path, bucket: tuple[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    address, options = bucket
    local, remote = loaded(shards, tmp_path), loaded(address, tmp_path / "cache", storage_options=options)
    for data in (local, remote):
        torch.manual_seed(4)
        data.batches = epoch(data)  # type: ignore[attr-defined]
    pairs = zip(local.batches, remote.batches, strict=True)  # type: ignore[attr-defined]
    assert all(torch.equal(one, other) for one, other in pairs)
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}  # no file anywhere else
    pictures = remote.splits["train"]
    assert isinstance(pictures, StoredPictures)
    assert pictures._pool is not None
    pictures._pool.shutdown()
    assert all(shard.path.exists() for shard in pictures.shards)


def test_a_cache_that_cannot_be_made_is_named(bucket: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    address, options = bucket
    (tmp_path / "file").touch()
    with pytest.raises(ColorizeError, match=r"file/cache/.* cannot be written .*data\.cache_dir"):
        epoch(loaded(address, tmp_path / "file/cache", storage_options=options))


def test_shards_that_the_last_batch_may_need_stay(bucket: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    address, options = bucket
    pictures = loaded(address, tmp_path, storage_options=options, cache_gb=1e-9).splits["train"]
    assert isinstance(pictures, StoredPictures)

    def kept() -> list[int]:
        assert pictures._pool is not None
        pictures._pool.shutdown()
        pictures._pool = None
        return [number for number, shard in enumerate(pictures.shards) if shard.path.exists()]

    for now, soon, expected in (([0, 1], [2, 3], 0), ([2, 3], [4, 5], 0), ([4, 5], [6, 7], 2)):
        pictures.prefetch(now, soon)
        assert kept() == list(range(expected, soon[-1] + 1))


def test_what_is_kept_of_an_object_store_is_limited(bucket: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    address, options = bucket
    shard = 4 * 5 + 3 * (24 + SIZE * SIZE * 3)
    data = loaded(address, tmp_path, storage_options=options, cache_gb=5 * shard / 1e9)
    pictures = data.splits["train"]
    assert isinstance(pictures, StoredPictures)
    assert len(pictures.shards) > 10
    seen: set[bytes] = set()
    for batch in data.train_dataloader():
        seen |= as_set(batch["rgb"])
        assert len(list(tmp_path.rglob("*.bin"))) <= 6  # three groups of two: before, now and next
    assert len(seen) == len(pictures) // 4 * 4


def test_a_shard_that_is_no_longer_kept_is_not_downloaded_ahead(
    bucket: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    address, options = bucket
    pictures = loaded(address, tmp_path, storage_options=options).splits["train"]
    assert isinstance(pictures, StoredPictures)
    late: list[Callable[[], None]] = []
    pictures._pool = SimpleNamespace(submit=lambda *call, **how: late.append(partial(*call, **how)))  # type: ignore[assignment]
    for number in range(3):
        pictures.prefetch([2 * number, 2 * number + 1], [2 * number + 2])
    for fetch in late:
        fetch()
    there = [number for number, shard in enumerate(pictures.shards) if shard.path.exists()]
    assert there == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("config", {"data_format": ["pickle"]}),
        ("config", {"data_format": ["numpy", "pickle"]}),
        ("config", {"compression": "zstd"}),
        ("config", {"item_loader": "TokensLoader"}),
        ("chunk", {"filename": "../../secret"}),
        ("chunk", {"chunk_size": 10**12}),
        ("chunk", {"chunk_bytes": 4}),
    ],
)
def test_an_index_of_anything_else_is_refused(part: str, change: dict[str, Any], shards: Path, tmp_path: Path) -> None:
    """Whatever it says of serializers: none of LitData's is ever called."""
    index = json.loads((shards / "train/index.json").read_text())
    (index["config"] if part == "config" else index["chunks"][0]).update(change)
    (tmp_path / "train").mkdir()
    (tmp_path / "train/index.json").write_text(json.dumps(index))
    (tmp_path / "about.json").write_bytes((shards / "about.json").read_bytes())
    with pytest.raises(ColorizeError, match=r"train/index\.json does not describe shards"):
        make(tmp_path, tmp_path).load()


@pytest.mark.parametrize("damage", ["longer", "empty", "header", "missing"])
def test_a_damaged_shard_is_named(damage: str, shards: Path, tmp_path: Path) -> None:
    for path in sorted(shards.rglob("*")):
        copy = tmp_path / path.relative_to(shards)
        copy.mkdir() if path.is_dir() else copy.write_bytes(path.read_bytes())
    shard = tmp_path / "train/chunk-0-0.bin"
    content = bytearray(shard.read_bytes())
    content[24] = 7
    match damage:
        case "longer":
            shard.write_bytes(content + b"0")
        case "empty":
            shard.write_bytes(b"")
        case "header":
            shard.write_bytes(content)
        case _:
            shard.unlink()
    with pytest.raises(ColorizeError, match=r"chunk-0-0\.bin is (damaged|missing)"):
        loaded(tmp_path, tmp_path).sample("train", 3)


def test_what_cannot_be_is_said(shards: Path, photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"data\.storage_options\.aws_secret_access_key would be written into"):
        make(shards, tmp_path, storage_options={"aws_secret_access_key": "x"})
    with pytest.raises(ColorizeError, match=r"holds pictures of size 16, but data\.image_size is 32"):
        StreamingData(str(shards), str(tmp_path), 32, 4).load()
    with pytest.raises(ColorizeError, match=r"nowhere/about\.json cannot be read .* check data\.root"):
        make(tmp_path / "nowhere", tmp_path).load()
    with pytest.raises(ColorizeError, match=r"data\.root=ftp://x is no address of an object store: it begins s3://"):
        make("ftp://x", tmp_path)
    with pytest.raises(ColorizeError, match="is there already"):
        write_shards(photographs, shards)
    with pytest.raises(ColorizeError, match=r"1 of 60 files cannot be read .* more than --max-bad-fraction=0"):
        write_shards(photographs, tmp_path / "out", 4, max_bad_fraction=0)
    assert list(tmp_path.iterdir()) == []
