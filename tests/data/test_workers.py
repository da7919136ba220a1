"""Data sets that travel to worker processes."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from colorize.data.base import ImageData, as_it_is
from colorize.data.folder import FolderData
from colorize.data.paired import PairedData
from colorize.images import write_photograph

SIZE, COUNT = 64, 40


def make(root: Path, kind: str) -> ImageData:
    rng = np.random.default_rng(0)
    for folder in ("colored", "grey"):
        (root / folder).mkdir()
        for number in range(COUNT):
            rgb = cv2.resize(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8), (80, SIZE))
            write_photograph(root / folder / f"{number}.png", rgb)
    data: ImageData
    if kind == "folder":
        data = FolderData(str(root / "colored"), "owner/name", str(root / "cache"), SIZE, 8, 0.2, 0.2, 0.05)
    else:
        data = PairedData(str(root), "colored", "auto", str(root / "cache"), SIZE, 8, 0.2, 0.2, 0.05)
    data.setup("fit")
    return data


@pytest.mark.parametrize("kind", ["folder", "paired"])
def test_a_memory_map_is_pickled_as_its_path(kind: str, tmp_path: Path) -> None:
    dataset = make(tmp_path, kind).train_dataloader().dataset
    pickled = pickle.dumps(dataset)
    assert len(pickled) < 5000 < COUNT * SIZE * SIZE * 3 / 10
    copy = pickle.loads(pickled)
    rows = range(len(dataset))  # type: ignore[arg-type]
    batch, again = dataset.__getitems__(rows), copy.__getitems__(rows)  # type: ignore[attr-defined]
    assert batch.keys() == again.keys()
    assert all(torch.equal(batch[name], again[name]) for name in batch)


@pytest.mark.slow
def test_a_spawned_worker_reads_the_same(tmp_path: Path) -> None:
    dataset = make(tmp_path, "folder").train_dataloader().dataset
    options = {"batch_size": 8, "collate_fn": as_it_is}
    here = list(DataLoader(dataset, **options))  # type: ignore[arg-type]
    there = list(DataLoader(dataset, num_workers=1, multiprocessing_context="spawn", **options))  # type: ignore[arg-type]
    assert len(here) == len(there) > 1
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one["rgb"], other["rgb"])
        assert torch.equal(one["index"], other["index"])
