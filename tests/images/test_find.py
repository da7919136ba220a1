import errno
import os
from pathlib import Path
from typing import Any

import pytest

from colorize.errors import ColorizeError
from colorize.images import find_photographs


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_find_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.PNG", "b/1.jpg", "a.JPeG", "c d/é.webp", "folder.jpg/x.tif", "notes.txt", "z.avif", "z.HEIC")
    touch(tmp_path, ".hidden.jpg", ".cache/x.jpg", "b/._1.jpg", "jpg", "x.jpg.txt")
    found = [path.relative_to(tmp_path).as_posix() for path in find_photographs(tmp_path)]
    assert found == ["a.JPeG", "b/1.jpg", "b/2.PNG", "c d/é.webp", "folder.jpg/x.tif", "z.HEIC", "z.avif"]


def test_find_photographs_follows_links_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/x.jpg", "root/a/y.jpg")
    (tmp_path / "root/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/a/loop").symlink_to(tmp_path / "root")
    assert find_photographs(tmp_path / "root") == [tmp_path / "root/a/y.jpg", tmp_path / "root/link/x.jpg"]


def test_find_photographs_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ColorizeError, match="there is no such folder"):
        find_photographs(tmp_path / "absent")
    touch(tmp_path, "a.txt", "b/c.csv", "b/.d.jpg")
    with pytest.raises(ColorizeError, match="must be a folder"):
        find_photographs(tmp_path / "a.txt")
    with pytest.raises(ColorizeError, match=r"has no photograph .*only 2 files of other kinds"):
        find_photographs(tmp_path)
    (tmp_path / "b/c.csv").unlink()
    with pytest.raises(ColorizeError, match=r"has no photograph \(.*\), nor any other file, hidden ones aside"):
        find_photographs(tmp_path / "b")

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "scandir", refuse)
    for unlisted in (None, []):
        with pytest.raises(ColorizeError, match="cannot be listed: Permission denied"):
            find_photographs(tmp_path, unlisted=unlisted)


def test_folders_below_that_cannot_be_listed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/x.jpg", "lost+found/y.jpg", "z.jpg")
    listed = os.scandir

    def scandir(path: str) -> Any:
        if Path(path).name == "lost+found":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ColorizeError, match=r"lost\+found: this folder cannot be listed: Permission denied"):
        find_photographs(tmp_path)
    unlisted: list[str] = []
    assert find_photographs(tmp_path, unlisted=unlisted) == [tmp_path / "a/x.jpg", tmp_path / "z.jpg"]
    assert unlisted == [f"{tmp_path}/lost+found: this folder cannot be listed: Permission denied"]
    for name in ("a/x.jpg", "z.jpg"):
        (tmp_path / name).unlink()
    with pytest.raises(ColorizeError, match=r"nor any other file, hidden ones aside; .*this folder cannot be listed"):
        find_photographs(tmp_path, unlisted=[])
