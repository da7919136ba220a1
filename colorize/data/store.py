"""Where shards lie, on a disk or in an object store, and their index."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from colorize.data.base import SPLIT_NAMES, Split
from colorize.data.shards import ABOUT, HEADER
from colorize.errors import ColorizeError, first_line
from colorize.files import expand_home

SCHEMES = ("s3://", "gs://", "azure://", "r2://")
_NAME = re.compile(r"chunk-\d+-\d+\.bin")


class Store:
    """A local folder, or an address of an object store such as s3://BUCKET/FOLDER, by LitData's downloaders.

    Args:
        root: the folder or address.
        options: of the store's client (for s3:// those of boto3's), such as `endpoint_url`.

    Raises:
        ColorizeError: there is no such kind of store.
    """

    def __init__(self, root: str, options: Mapping[str, Any]) -> None:
        self.root, self.remote = root, "://" in root
        if self.remote and not root.startswith(SCHEMES):
            raise ColorizeError(f"data.root={root} is no address of an object store: it begins {' or '.join(SCHEMES)}.")
        self.options = dict(options)
        self.about: dict[str, Any] | None = None  # its about.json, once it is read
        self._made: Any = None

    def read(self, address: str) -> bytes:
        """The bytes of a file.

        Raises:
            ColorizeError: it cannot be read.
        """
        try:
            if not self.remote:
                return expand_home(address).read_bytes()
            buffer = io.BytesIO()
            self._downloader().download_fileobj(address, buffer)
        except ModuleNotFoundError as error:
            raise ColorizeError(f"{address} needs LitData: pip install 'colorize[streaming]'.") from error
        except Exception as error:  # whatever the store's library raises
            raise ColorizeError(
                f"{address} cannot be read ({first_line(error)}): check data.root, data.storage_options and the "
                "credentials in the environment."
            ) from error
        return buffer.getvalue()

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_made": None}

    def _downloader(self) -> Any:
        """One for all files, since a client takes long to make; LitData makes another after a fork."""
        if self._made is None:
            from litdata.streaming.downloader import get_downloader

            options = self.options
            if self.root.startswith("s3://"):  # LitData would try a thousand times
                from botocore.config import Config

                options = {"config": Config(retries={"max_attempts": 5, "mode": "standard"}), **options}
            self._made = get_downloader(self.root, "", [], options, {})
        return self._made


class Shard(NamedTuple):
    """A file of pictures: its address in a store, and the path it is read from (the same for a local one)."""

    store: Store
    source: str
    path: Path
    pictures: int
    bytes: int


def read_about(store: Store, size: int) -> dict[Split, int]:
    """How many pictures each split of a store holds.

    Raises:
        ColorizeError: it holds no shards, or pictures of another size.
    """
    address = f"{store.root.rstrip('/')}/{ABOUT}"
    if store.about is None:
        store.about = _json(store, address)
    about = store.about
    pictures = about.get("pictures")
    if not isinstance(pictures, dict) or not all(type(count) is int and count >= 0 for count in pictures.values()):
        raise ColorizeError(f"{address} is not what python -m colorize.data.shards writes.")
    if about.get("image_size") != size:
        raise ColorizeError(
            f"data.root={store.root} holds pictures of size {about.get('image_size')}, but data.image_size is {size}: "
            "give that size, or write shards of this one."
        )
    return {split: pictures.get(split, 0) for split in SPLIT_NAMES}


def shards_of(store: Store, split: Split, size: int, cache: Path) -> list[Shard]:
    """The shards of a split, those of an object store to be kept in a folder of `cache`.

    Raises:
        ColorizeError: as `read_about`, or its index describes something else than pictures of that size.
    """
    if not read_about(store, size)[split]:
        return []
    folder = f"{store.root.rstrip('/')}/{split}"
    address = f"{folder}/index.json"
    index = _json(store, address)
    if not _is_index(index, size):
        raise ColorizeError(
            f"{address} does not describe shards that python -m colorize.data.shards wrote: it is refused."
        )
    fingerprint = hashlib.blake2b(json.dumps([store.root, split, index]).encode(), digest_size=8).hexdigest()
    here = cache / f"shards-{fingerprint}" if store.remote else expand_home(folder)
    return [
        Shard(store, f"{folder}/{name}", here / name, pictures, shard_bytes(pictures, size))
        for name, pictures in ((chunk["filename"], chunk["chunk_size"]) for chunk in index["chunks"])
    ]


def _is_index(index: Mapping[str, Any], size: int) -> bool:
    """Whether LitData's index of a split describes what `write_shards` writes, with pictures of this size."""
    match index:
        case {"config": {"data_format": ["numpy"], "item_loader": "PyTreeLoader", **others}, "chunks": [*chunks]}:
            is_plain = not others.get("compression") and not others.get("encryption")
            return is_plain and all(_is_chunk(chunk, size) for chunk in chunks)
    return False


def _is_chunk(chunk: Any, size: int) -> bool:
    match chunk:
        case {"filename": str(name), "chunk_size": pictures, "chunk_bytes": length} if type(pictures) is int:
            return pictures >= 1 and _NAME.fullmatch(name) is not None and length == shard_bytes(pictures, size)
    return False


def _json(store: Store, address: str) -> dict[str, Any]:
    try:
        value = json.loads(store.read(address))
    except (ValueError, RecursionError) as error:
        raise ColorizeError(f"{address} is damaged ({first_line(error)}): write the shards anew.") from error
    return value if isinstance(value, dict) else {}


def shard_bytes(pictures: int, size: int) -> int:
    """LitData's layout: the number of pictures, where each begins and the last ends, then each behind its header."""
    return 4 * (pictures + 2) + pictures * (HEADER + size * size * 3)
