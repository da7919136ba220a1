"""Packing photographs: what is decoded, in which order, and what of it is listed as bad."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from colorize.data import pack as packing
from colorize.data.pack import pack
from colorize.images import find_photographs, read_rgb
from tests.data.packing import SIZE, fail, fitted, folders, pack_folder


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


def test_as_many_are_decoded_at_a_time_as_there_are_cores_to_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def pool(workers: int) -> ThreadPoolExecutor:
        asked.append(workers)
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(packing, "ThreadPoolExecutor", pool)
    for cores in (3, 40):
        monkeypatch.setattr(packing, "usable_cores", lambda cores=cores: cores)
        assert list(packing.decode([], 4)) == []
    assert asked == [3, 16]


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


def test_progress_is_shown(root: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_folder(root, cache)
    output = capsys.readouterr()
    assert "packing 9 photographs at 16x16" in output.err
    assert "9/9" in output.err
    assert output.out == ""
    pack_folder(root, cache)
    assert capsys.readouterr().err == ""
