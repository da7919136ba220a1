"""A folder of photographs: which are taken, which split each belongs to, and what is said of bad ones."""

import logging
from pathlib import Path

import kagglehub
import numpy as np
import pytest

from colorize.data.folder import FolderData, color_folder
from colorize.data.packed import split_by_name
from colorize.errors import ColorizeError
from colorize.images import write_photograph


def fill(folder: Path, count: int, first: int = 0) -> Path:
    rng = np.random.default_rng(first)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        write_photograph(folder / f"{number}.jpg", rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    return folder


def make(root: Path | None, cache: Path, fraction: float = 0.25, bad: float = 0.05) -> FolderData:
    return FolderData(
        None if root is None else str(root),
        kaggle_dataset="owner/name",
        cache_dir=str(cache),
        image_size=16,
        batch_size=4,
        val_fraction=fraction,
        test_fraction=fraction,
        max_bad_fraction=bad,
    )


@pytest.mark.parametrize("layout", ["color", "landscape Images/color"])
def test_the_color_folder_is_taken_by_itself(layout: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root / layout, 12)
    fill(root / layout.replace("color", "gray"), 12)
    assert color_folder(root) == root / layout
    data = make(root, tmp_path / "cache")
    data.prepare_data()
    data.setup("fit")
    assert sorted(data.names) == sorted(str(root / layout / f"{number}.jpg") for number in range(12))
    assert data.sample("train", 2)["rgb"].shape == (2, 3, 16, 16)


def test_adding_files_moves_none_across() -> None:
    names = [f"{number}.jpg" for number in range(2000)]
    few, many = split_by_name(names[::2], 0.1, 0.2), split_by_name(names, 0.1, 0.2)
    for split in ("train", "val", "test"):
        before = {names[::2][row] for row in few[split]}  # type: ignore[index]
        after = {names[row] for row in many[split]}  # type: ignore[index]
        assert before <= after
    assert sorted(np.concatenate(list(many.values()))) == list(range(2000))
    assert len(many["val"]) == pytest.approx(200, abs=50)
    assert len(many["test"]) == pytest.approx(400, abs=70)


@pytest.mark.parametrize("number", range(8))
def test_folders_do_not_tell_the_split(number: int) -> None:
    splits = [split_by_name([f"{folder}{number}.jpg"], 0.3, 0.4) for folder in ("", "a/", "/elsewhere/b/")]
    homes = [[split for split, rows in found.items() if len(rows)] for found in splits]
    assert len(homes[0]) == 1
    assert homes[0] == homes[1] == homes[2]


def test_the_first_pictures_of_a_split_do_not_depend_on_how_large_it_is() -> None:
    names = [f"{number}.jpg" for number in range(500)]
    for split, small, large in (("val", (0.1, 0.2), (0.4, 0.2)), ("test", (0.2, 0.1), (0.2, 0.4))):
        few, many = split_by_name(names, *small)[split], split_by_name(names, *large)[split]  # type: ignore[index]
        assert len(few) < len(many)
        np.testing.assert_array_equal(few, many[: len(few)])


def test_bad_files_are_named_in_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = fill(tmp_path / "root", 30)
    (root / "broken.jpg").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING):
        make(root, tmp_path / "cache").prepare_data()
    (record,) = caplog.records
    assert "1 of 31 files cannot be read (broken.jpg: " in record.getMessage()


def test_too_many_bad_files_are_an_error(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", 10)
    (root / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ColorizeError, match=r"1 of 11 files cannot be read .*more than data.max_bad_fraction=0.05"):
        make(root, tmp_path / "cache").prepare_data()


def test_an_empty_split_says_what_to_do(tmp_path: Path) -> None:
    data = make(fill(tmp_path / "root", 3), tmp_path / "cache", fraction=0.0)
    data.setup("fit")
    assert len(data.sample("train", 9)["index"]) == 3
    with pytest.raises(ColorizeError, match="None of the 3 photographs falls into the validation split"):
        data.val_dataloader()


def test_fractions_above_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="nor add up to more than 1"):
        make(tmp_path, tmp_path, fraction=0.6)


def test_without_network_both_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(dataset: str) -> str:
        raise ConnectionError(dataset)

    monkeypatch.setattr(kagglehub, "dataset_download", no_network)
    with pytest.raises(ColorizeError, match=r"owner/name could not be downloaded .*or give data.root=FOLDER"):
        make(None, tmp_path).prepare_data()


def test_without_root_the_download_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fill(tmp_path / "versions" / "landscape Images" / "color", 4).parents[1]
    monkeypatch.setattr(kagglehub, "dataset_download", lambda dataset: str(root))
    data = make(None, tmp_path / "cache")
    data.prepare_data()
    data.setup("fit")
    assert len(data.names) == 4


@pytest.mark.parametrize("layout", ["color", "landscape Images/color"])
def test_a_color_folder_is_told_in_the_log(layout: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "root"
    fill(root / layout, 12)
    with caplog.at_level(logging.INFO):
        make(root, tmp_path / "cache").prepare_data()
    (message,) = caplog.messages
    assert str(root) in message
    assert str(root / layout) in message
    caplog.clear()
    with caplog.at_level(logging.INFO):
        make(root / layout, tmp_path / "cache").prepare_data()
    assert caplog.messages == []
