import errno
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from colorize.data import pack as packing
from colorize.data.pack import PackedImages, pack
from colorize.errors import ColorizeError
from colorize.images import find_photographs, read_rgb

SIZE = 16


def pack_folder(root: Path, cache: Path, size: int = SIZE) -> PackedImages:
    return pack(root, find_photographs(root), size, cache, workers=2)


def folders(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.is_dir())


def fail(*_: object, **__: object) -> None:
    raise AssertionError("decoded again")


def fitted(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(ImageOps.fit(Image.fromarray(rgb), (SIZE, SIZE), Image.Resampling.LANCZOS))


def test_content_equals_direct_decoding(root: Path, cache: Path) -> None:
    result = pack_folder(root, cache)
    files = find_photographs(root)
    assert result.images.shape == (9, SIZE, SIZE, 3)
    assert result.images.dtype == np.uint8
    assert isinstance(result.images, np.memmap)
    assert not result.images.flags.writeable
    assert result.names == [file.relative_to(root).as_posix() for file in files]
    assert result.bad == []
    for image, file in zip(result.images, files, strict=True):
        np.testing.assert_array_equal(image, fitted(read_rgb(file)))


def numbered(path: Path, **_: object) -> npt.NDArray[np.uint8]:
    return np.full((4, 4, 3), int(path.stem), np.uint8)


def test_few_photographs_wait_in_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted: list[Path] = []

    class Pool(ThreadPoolExecutor):
        def submit(self, function: Any, file: Path, *arguments: Any) -> Any:  # type: ignore[override]
            submitted.append(file)
            return super().submit(function, file, *arguments)

    monkeypatch.setattr(packing, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(packing, "read_rgb", numbered)
    decoded = packing.decode([root / f"{index}.png" for index in range(60)], 4, 2)
    for taken in range(10):
        assert isinstance(next(decoded), np.ndarray)
        assert len(submitted) == 8 + taken
    decoded.close()
    assert len(submitted) == 17


def test_photographs_that_end_out_of_order_stay_in_order(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [root / f"{index}.png" for index in range(60)]
    ended = [threading.Event() for _ in files]

    def read(path: Path, **_: object) -> npt.NDArray[np.uint8]:
        """The second of each two ends first."""
        index = int(path.stem)
        if index % 2 == 0:
            assert ended[index + 1].wait(60)
        ended[index].set()
        return numbered(path)

    monkeypatch.setattr(packing, "read_rgb", read)
    assert pack(root, files, 4, cache, workers=2).images[:, 0, 0, 0].tolist() == list(range(60))


def test_jpeg_is_decoded_smaller_without_harm(tmp_path: Path, cache: Path) -> None:
    root = tmp_path / "jpeg"
    root.mkdir()
    Image.radial_gradient("L").resize((300, 250)).convert("RGB").save(root / "x.jpg")
    result = pack_folder(root, cache)
    expected = fitted(read_rgb(root / "x.jpg"))
    np.testing.assert_allclose(result.images[0].astype(int), expected, atol=5)


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


def test_bad_files_are_listed(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "class 0" / "text.jpg").write_text("no picture")
    (root / "empty.jpg").touch()
    (root / "gone.jpg").symlink_to("nowhere")
    for attempt in range(2):
        result = pack_folder(root, cache)
        assert len(result.images) == len(result.names) == 9
        assert [entry.split(": ")[0] for entry in result.bad] == ["class 0/text.jpg", "empty.jpg", "gone.jpg"]
        assert "the file is empty" in result.bad[1]
        assert str(root) not in "".join(result.bad)
        if attempt == 0:
            monkeypatch.setattr(packing, "read_rgb", fail)


def test_a_file_that_may_be_read_again_is_no_longer_bad(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = find_photographs(root)[3]
    open_file = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:  # chmod does not stop root
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_file(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        patch.setattr(os, "access", lambda path, _: path != closed)
        assert len(pack_folder(root, cache).bad) == 1
    assert pack_folder(root, cache).bad == []


@pytest.mark.parametrize("files", [[], ["a.jpg", "b.jpg"]])
def test_no_good_photograph(files: list[str], tmp_path: Path, cache: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    for _ in range(2):
        result = pack(tmp_path, [tmp_path / name for name in files], SIZE, cache)
        assert result.images.shape == (0, SIZE, SIZE, 3)
        assert result.images.dtype == np.uint8
        assert len(result.bad) == len(files)


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


@pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyboardInterrupt(), OSError(errno.EIO, "I/O")])
def test_other_exceptions_leave_nothing(
    error: BaseException, root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, **options: Any) -> npt.NDArray[np.uint8]:
        if path == find_photographs(root)[5]:
            raise error
        return read_rgb(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(packing, "read_rgb", read)
        with pytest.raises(type(error)):
            pack_folder(root, cache)
    assert folders(cache) == []
    assert len(pack_folder(root, cache).images) == 9


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.ENOTDIR, errno.EEXIST])
def test_a_cache_that_cannot_be_written(code: int, root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ColorizeError, match=r"data\.cache_dir=") as caught:
        pack_folder(root, cache)
    assert str(cache) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert folders(cache) == []


def test_progress_is_shown(root: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_folder(root, cache)
    output = capsys.readouterr()
    assert "packing 9 photographs at 16x16" in output.err
    assert "9/9" in output.err
    assert output.out == ""
    pack_folder(root, cache)
    assert capsys.readouterr().err == ""
