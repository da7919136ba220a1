"""What a start of the training costs: each folder is walked once, each photograph's status read once."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colorize.data.base import ImageData
from colorize.data.folder import FolderData
from colorize.data.paired import PairedData
from colorize.images import write_photograph


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for folder, shape in (("colored", (20, 30, 3)), ("grey", (20, 30))):
        (root / folder).mkdir(parents=True)
        for number in range(12):
            write_photograph(root / folder / f"{number}.png", np.full(shape, number, np.uint8))
    return root


def folder_data(root: Path) -> ImageData:
    return FolderData(str(root / "colored"), "owner/name", str(root.parent / "cache"), 16, 4, 0.2, 0.2, 0.05)


def paired_data(root: Path) -> ImageData:
    return PairedData(str(root), "colored", "auto", str(root.parent / "cache"), 16, 4, 0.2, 0.2, 0.05)


def start(data: ImageData) -> None:
    """What the trainer of the training and the trainer of the test do with the data."""
    for stage in ("fit", "test"):
        data.prepare_data()
        data.setup(stage)


@pytest.mark.parametrize(("make", "folders"), [(folder_data, ["colored"]), (paired_data, ["colored", "grey"])])
def test_a_start_walks_and_stats_once(
    make: Callable[[Path], ImageData], folders: list[str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(make(root))  # packs
    walked: Counter[str] = Counter()
    status: Counter[str] = Counter()
    walk, stat = os.walk, Path.stat

    def counting_walk(top: Path, **options: Any) -> Iterator[Any]:
        walked[Path(top).name] += 1
        return walk(top, **options)

    def counting_stat(path: Path, **options: Any) -> os.stat_result:
        if path.suffix == ".png":
            status[str(path)] += 1
        return stat(path, **options)

    monkeypatch.setattr(os, "walk", counting_walk)
    monkeypatch.setattr(Path, "stat", counting_stat)
    start(make(root))
    assert walked == dict.fromkeys(folders, 1)
    assert len(status) == 12 * len(folders)
    assert set(status.values()) == {len(folders)}  # those of pairs are opened too, for their size
