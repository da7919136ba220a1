"""Photographs decoded and resized once, then read from one memory-mapped file of uint8."""

import errno
import hashlib
import json
import math
import os
import shutil
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from PIL import Image, ImageOps
from tqdm import tqdm

from colorize.cores import usable_cores
from colorize.errors import ColorizeError, ImageError
from colorize.images import read_rgb
from colorize.progress import in_lines

RECIPE = "lanczos-centre-crop-2"  # another name makes every cache stale

_DISK_ERRORS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP),
)


class PackedImages(NamedTuple):
    """`images`: read-only uint8 (N, size, size, 3) RGB, mapped from the disk. `names`: the path of each below
    the root, with slashes. `bad`: "path: reason" of each file that could not be read."""

    images: npt.NDArray[np.uint8]
    names: list[str]
    bad: list[str]


def pack(root: Path, files: Sequence[Path], size: int, cache_dir: Path, *, workers: int | None = None) -> PackedImages:
    """The photographs `files`, which lie below `root`, as (N, size, size, 3): resized so that the shorter
    side is `size` (Lanczos), then cropped to the centre.

    The result lies in `cache_dir / "ROOT-FINGERPRINT"` and is packed again when a file is added, removed or
    changed (length or time of change). Older caches of the same root and size are removed. A second process
    waits until the first has packed. Raises ColorizeError when the cache cannot be written.
    """
    root, cache_dir = Path(root), Path(cache_dir)
    source = root.resolve()
    names = [file.relative_to(root).as_posix() for file in files]
    about = {"root": str(source), "recipe": RECIPE, "size": size}
    folder = cache_dir / f"{source.name}-{_fingerprint(about, names, files)}"
    packed = _open(folder, size)
    if packed is not None:
        return packed
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            packed = _open(folder, size)
            if packed is None:
                packed = _write_pack(folder, about, names, files, workers)
                _remove_stale(folder, about)
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        size_mb = len(files) * size * size * 3 / 1e6
        raise ColorizeError(
            f"{cache_dir}: the cache of {len(files):,} photographs ({size_mb:,.0f} MB) cannot be written: "
            f"{error.strerror}; name another folder, or one on another disk, with data.cache_dir="
        ) from error
    return packed


def _fingerprint(about: dict[str, Any], names: list[str], files: Sequence[Path]) -> str:
    """Whether a file may be read counts too: once that is fixed with chmod, it is no longer bad."""
    content: list[Any] = [about]
    for name, file in zip(names, files, strict=True):
        try:
            status = file.stat()
            content.append([name, status.st_size, status.st_mtime_ns, os.access(file, os.R_OK)])
        except OSError:
            content.append([name])
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


def _lock(folder: Path, timeout: float = -1) -> FileLock:
    return FileLock(folder.with_name(f"{folder.name}.lock"), timeout=timeout)


def _read_index(folder: Path) -> dict[str, Any]:
    """Empty when there is no index or a broken one."""
    try:
        index = json.loads((folder / "index.json").read_text())
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _open(folder: Path, size: int) -> PackedImages | None:
    """The cache in `folder`, None when it is absent, incomplete or damaged."""
    index, path = _read_index(folder), folder / "images.bin"
    names, bad = index.get("names"), index.get("bad")
    if not _are_texts(names) or not _are_texts(bad):
        return None
    shape = (len(names), size, size, 3)
    if index.get("shape") != [*shape] or not path.is_file() or path.stat().st_size != math.prod(shape):
        return None
    images: npt.NDArray[np.uint8]
    if shape[0]:
        images = np.memmap(path, np.uint8, "r", shape=shape)
    else:  # an empty file cannot be mapped
        images = np.zeros(shape, np.uint8)
        images.flags.writeable = False
    return PackedImages(images, names, bad)


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _write_pack(
    folder: Path, about: dict[str, Any], names: list[str], files: Sequence[Path], workers: int | None
) -> PackedImages:
    """Decode into a temporary folder beside `folder`, whose lock is held, then rename it."""
    temporary = folder.with_name(f"{folder.name}.tmp")
    for old in (temporary, folder):  # left by a killed process; incomplete
        if old.exists():
            shutil.rmtree(old)
    temporary.mkdir()
    size = about["size"]
    good: list[str] = []
    bad: list[str] = []
    try:
        _write_index(temporary, about)  # lets _remove_stale know whose it is if this process is killed
        readable = decode_readable(files, names, size, bad, workers)
        with (temporary / "images.bin").open("wb") as out, closing(readable):
            for name, image in readable:
                out.write(image.data)
                good.append(name)
            _sync(out)
        shape = (len(good), size, size, 3)
        _write_index(temporary, about | {"shape": shape, "names": good, "bad": bad})
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    packed = _open(folder, size)
    assert packed is not None
    return packed


def decode_readable(
    files: Sequence[Path], names: Sequence[str], size: int, bad: list[str], workers: int | None = None
) -> Generator[tuple[str, npt.NDArray[np.uint8]]]:
    """Name and image of each file that can be read, in order; "name: reason" of each other is added to `bad`.

    To be closed, which ends the threads that decode.
    """
    with closing(decode(files, size, workers)) as images:
        for file, name, image in zip(files, names, images, strict=True):
            if isinstance(image, ImageError):
                bad.append(f"{name}: {str(image).removeprefix(f'{file}: ')}")
            else:
                yield name, image


def decode(
    files: Sequence[Path], size: int, workers: int | None = None
) -> Generator[npt.NDArray[np.uint8] | ImageError]:
    """Each file's image or error, in order; no more than a few for each thread wait in memory."""
    workers = workers or min(usable_cores(), 16)
    waiting: deque[Future[npt.NDArray[np.uint8] | ImageError]] = deque()
    description = f"packing {len(files):,} photographs at {size}x{size}"
    rest = iter(files)
    pool = ThreadPoolExecutor(workers)
    try:
        with in_lines(tqdm(total=len(files), desc=description, unit="img")) as bar:
            waiting.extend(pool.submit(_square, file, size) for file in islice(rest, 4 * workers))
            while waiting:
                yield waiting.popleft().result()
                bar.update()
                waiting.extend(pool.submit(_square, file, size) for file in islice(rest, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _square(file: Path, size: int) -> npt.NDArray[np.uint8] | ImageError:
    try:
        rgb = read_rgb(file, min_size=2 * size)
    except ImageError as error:
        return error
    return np.array(ImageOps.fit(Image.fromarray(rgb), (size, size), Image.Resampling.LANCZOS))


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    with (folder / "index.json").open("wb") as out:
        out.write(json.dumps(index).encode())
        _sync(out)


def _sync(out: BinaryIO) -> None:
    out.flush()
    os.fsync(out.fileno())


def _remove_stale(current: Path, about: dict[str, Any]) -> None:
    """Remove the other caches, complete or not, of the same root and size, but none that is being written."""
    for folder in current.parent.iterdir():
        index = _read_index(folder)
        if folder == current or any(index.get(key) != about[key] for key in ("root", "size")):
            continue
        try:
            with _lock(folder.with_name(folder.name.removesuffix(".tmp")), timeout=0):
                (folder / "images.bin").unlink(missing_ok=True)  # before the index, which says whose it is
                shutil.rmtree(folder)
        except Timeout:
            continue
