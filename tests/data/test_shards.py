"""Writing shards: what they hold, what is refused, and what stays of it."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import litdata
import numpy as np
import pytest
from PIL import Image

from colorize.data import shards
from colorize.data.folder import FolderData
from colorize.data.shards import main, write_shards
from colorize.errors import ColorizeError
from tests.data.stream import FRACTIONS, SIZE, as_set, loaded


@pytest.fixture
def one_photograph(tmp_path: Path) -> Path:
    """A folder with it."""
    (tmp_path / "photographs").mkdir()
    Image.new("RGB", (8, 8), (90, 120, 30)).save(tmp_path / "photographs/one.png")
    return tmp_path / "photographs"


@pytest.mark.parametrize("name", ["folder.txt/out", f"{'x' * 300}"])
def test_a_place_that_cannot_be_written_is_told(name: str, one_photograph: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.txt").touch()
    with pytest.raises(SystemExit, match=r"cannot be written: (Not a directory|File name too long)"):
        main([str(one_photograph), str(tmp_path / name), "--image-size", "8"])


def test_a_full_disk_is_told_and_nothing_stays(
    one_photograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shards, "_write_split", full)
    with pytest.raises(ColorizeError, match="out cannot be written: No space left on device"):
        write_shards(one_photograph, tmp_path / "out", 8)
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


def test_what_another_process_is_writing_stays(one_photograph: Path, tmp_path: Path) -> None:
    (tmp_path / "out.tmp/train").mkdir(parents=True)
    with pytest.raises(ColorizeError, match=r"out\.tmp is there already: wait until the process that writes it"):
        write_shards(one_photograph, tmp_path / "out", 8)
    assert (tmp_path / "out.tmp/train").is_dir()


@pytest.mark.parametrize("option", ["shard_megabytes", "val_fraction"])
def test_what_is_no_number_is_refused(option: str, one_photograph: Path, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=f"--{option.replace('_', '-')}"):
        write_shards(one_photograph, tmp_path / "out", 8, **{option: float("nan")})


def test_shards_hold_the_pictures_of_the_folder_in_the_same_splits(
    photographs: Path, shards: Path, tmp_path: Path
) -> None:
    folder = FolderData(str(photographs), None, str(tmp_path), SIZE, 4, *FRACTIONS, 0.05)
    folder.prepare_data()
    folder.setup("fit")
    data = loaded(shards, tmp_path)
    for split in ("train", "val", "test"):
        ours, theirs = data.splits[split], folder.splits[split]
        everything = as_set(data.sample(split, 100)["rgb"])
        assert len(everything) == len(ours) == len(theirs) > 2  # type: ignore[arg-type]
        assert everything == as_set(folder.sample(split, 100)["rgb"])
    about = json.loads((shards / "about.json").read_text())
    assert sum(about["pictures"].values()) == 59
    assert [line.split(":")[0] for line in about["bad"]] == ["0/0.png"]
    names = [json.loads(line) for line in (shards / "test/names.jsonl").read_text().splitlines()]
    assert sorted(names) == sorted(
        Path(folder.names[row]).relative_to(photographs).as_posix() for row in folder.rows()["test"]
    )


def test_litdata_reads_them_too(shards: Path, tmp_path: Path) -> None:
    theirs = litdata.StreamingDataset(str(shards / "train"), cache_dir=str(tmp_path))
    ours = loaded(shards, tmp_path).sample("train", 100)["rgb"].permute(0, 2, 3, 1).numpy()
    assert len(theirs) == len(ours)
    np.testing.assert_array_equal(theirs[5], ours[5])


def test_the_command_says_what_it_wrote(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(photographs), str(tmp_path / "out"), "--image-size", "8", "--val-fraction", "0", "--test-fraction", "0"])
    assert "pictures of 8x8: 0 for test, 0 for val, 59 for train; 1 unreadable files." in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["about.json", "train"]
    with pytest.raises(SystemExit, match=r"error: .* is there already"):
        main([str(photographs), str(tmp_path / "out")])
