"""The command that writes shards: what is refused, and what stays of it."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colorize.data import shards
from colorize.data.shards import main, write_shards
from colorize.errors import ColorizeError


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    (tmp_path / "photographs").mkdir()
    Image.new("RGB", (8, 8), (90, 120, 30)).save(tmp_path / "photographs/one.png")
    return tmp_path / "photographs"


@pytest.mark.parametrize("name", ["folder.txt/out", f"{'x' * 300}"])
def test_a_place_that_cannot_be_written_is_told(name: str, photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.txt").touch()
    with pytest.raises(SystemExit, match=r"cannot be written: (Not a directory|File name too long)"):
        main([str(photographs), str(tmp_path / name), "--image-size", "8"])


def test_a_full_disk_is_told_and_nothing_stays(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shards, "_write_split", full)
    with pytest.raises(ColorizeError, match="out cannot be written: No space left on device"):
        write_shards(photographs, tmp_path / "out", 8)
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


def test_what_another_process_is_writing_stays(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "out.tmp/train").mkdir(parents=True)
    with pytest.raises(ColorizeError, match=r"out\.tmp is there already: wait until the process that writes it"):
        write_shards(photographs, tmp_path / "out", 8)
    assert (tmp_path / "out.tmp/train").is_dir()


@pytest.mark.parametrize("option", ["shard_megabytes", "val_fraction"])
def test_what_is_no_number_is_refused(option: str, photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=f"--{option.replace('_', '-')}"):
        write_shards(photographs, tmp_path / "out", 8, **{option: float("nan")})
