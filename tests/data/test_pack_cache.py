"""The cache of packed photographs: when it is used, made anew, refused."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.data import pack as packing
from colorize.errors import ColorizeError
from colorize.images import find_photographs, read_rgb
from tests.data.packing import SIZE, fail, fitted, folders, pack_folder


def test_hit_does_not_decode(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pack_folder(root, cache)
    monkeypatch.setattr(packing, "read_rgb", fail)
    second = pack_folder(root, cache)
    np.testing.assert_array_equal(first.images, second.images)
    assert second[1:] == first[1:]
    moved = find_photographs(root)[0]
    os.utime(moved, ns=(0, 0))
    with pytest.raises(AssertionError, match="decoded again"):
        pack_folder(root, cache)


def test_a_relative_root_hits_too(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack_folder(root, cache)
    monkeypatch.setattr(packing, "read_rgb", fail)
    monkeypatch.chdir(root)
    assert len(pack_folder(Path(), cache).images) == 9


@pytest.mark.parametrize("change", ["content", "time", "length", "added", "removed", "renamed"])
def test_a_change_packs_anew_and_removes_the_old_cache(change: str, root: Path, cache: Path) -> None:
    before = pack_folder(root, cache)
    old_folder = folders(cache)
    file = find_photographs(root)[0]
    status = file.stat()
    if change == "content":
        Image.new("RGB", (20, 20), "red").save(file)
    elif change == "time":
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "length":
        file.write_bytes(file.read_bytes() + b"\0")
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "added":
        Image.new("RGB", (20, 20), "red").save(root / "new.png")
    elif change == "removed":
        file.unlink()
    else:
        file.rename(file.with_name("renamed.png"))
    after = pack_folder(root, cache)
    assert len(after.images) == 9 + {"added": 1, "removed": -1}.get(change, 0)
    assert len(folders(cache)) == 1
    assert folders(cache) != old_folder
    for image, found in zip(after.images, find_photographs(root), strict=True):
        np.testing.assert_array_equal(image, fitted(read_rgb(found)))
    assert before.images.sum() > 0  # a run that has the old one open may go on


def test_other_sizes_and_other_roots_stay(root: Path, tmp_path: Path, cache: Path) -> None:
    other = tmp_path / "other" / root.name
    other.mkdir(parents=True)
    Image.new("RGB", (9, 9), "blue").save(other / "x.png")
    assert pack_folder(root, cache).images.shape == (9, SIZE, SIZE, 3)
    assert pack_folder(root, cache, 8).images.shape == (9, 8, 8, 3)
    assert pack_folder(other, cache).images.shape == (1, SIZE, SIZE, 3)
    assert len(folders(cache)) == 3
    (root / "class 0" / "写真\n0.png").unlink()
    pack_folder(root, cache)
    assert len(folders(cache)) == 3


def test_another_recipe_packs_anew(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack_folder(root, cache)
    before = folders(cache)
    monkeypatch.setattr(packing, "RECIPE", "another")
    pack_folder(root, cache)
    assert len(folders(cache)) == 1
    assert folders(cache) != before


@pytest.mark.parametrize("damage", ["images cut", "images gone", "index cut", "index gone", "index empty"])
def test_an_incomplete_cache_is_rebuilt(damage: str, root: Path, cache: Path) -> None:
    expected = np.array(pack_folder(root, cache).images)
    (folder,) = folders(cache)
    path = folder / ("images.bin" if damage.startswith("images") else "index.json")
    if damage.endswith("cut"):
        path.write_bytes(path.read_bytes()[:-1])
    elif damage.endswith("gone"):
        path.unlink()
    else:
        path.write_text("[]")
    np.testing.assert_array_equal(pack_folder(root, cache).images, expected)
    assert folders(cache) == [folder]
    assert sorted(file.name for file in folder.iterdir()) == ["images.bin", "index.json"]


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": 5},
        {"shape": None},
        {"shape": ["9", SIZE, SIZE, 3]},
        {"shape": [-9, -SIZE, SIZE, 3]},
        {"shape": [9 * SIZE, SIZE, 3]},
        {"shape": [9, 3, SIZE, SIZE]},
        {"names": 9},
        {"names": [1] * 9},
        {"bad": "x"},
    ],
)
def test_an_index_that_someone_else_wrote_is_not_believed(changes: dict[str, Any], root: Path, cache: Path) -> None:
    expected = pack_folder(root, cache)
    (folder,) = folders(cache)
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | changes))
    result = pack_folder(root, cache)
    np.testing.assert_array_equal(result.images, expected.images)
    assert (result.names, result.bad) == (expected.names, expected.bad)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.ENOTDIR, errno.EEXIST, errno.ENOENT])
def test_a_cache_that_cannot_be_written(code: int, root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ColorizeError, match=r"data\.cache_dir=") as caught:
        pack_folder(root, cache)
    assert str(cache) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert folders(cache) == []
