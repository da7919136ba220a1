"""Several folders of photographs, and how often each is drawn in training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from colorize.data.folder import FolderData
from colorize.data.order import EpochSampler
from colorize.errors import ColorizeError
from colorize.images import write_photograph

COUNTS = {"many": 60, "few": 20}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders that share file names; the pictures of the first are dark, those of the second bright."""
    folder = tmp_path_factory.mktemp("roots")
    for (name, count), value in zip(COUNTS.items(), (50, 200), strict=True):
        (folder / name).mkdir()
        for number in range(count):
            write_photograph(folder / name / f"{number}.png", np.full((9, 9, 3), value, np.uint8))
    return [folder / name for name in COUNTS]


def make(roots: Sequence[Path], cache: Path, weights: Sequence[float] | None = None, **options: Any) -> FolderData:
    fractions = {"val_fraction": 0.2, "test_fraction": 0.2, "max_bad_fraction": 0.05} | options
    data = FolderData([str(root) for root in roots], None, str(cache), 8, 4, weights=weights, **fractions)
    data.prepare_data()
    data.setup("fit")
    return data


def sampler_of(data: FolderData, seed: int = 0) -> EpochSampler:
    torch.manual_seed(seed)
    sampler = data.train_dataloader().sampler
    assert isinstance(sampler, EpochSampler)
    return sampler


def draws(sampler: EpochSampler, epochs: int) -> list[list[int]]:
    """What it draws in each of the first epochs."""
    drawn = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        drawn.append(list(sampler))
    return drawn


def share_of_few(data: FolderData, drawn: Sequence[int]) -> float:
    batch = data.splits["train"].__getitems__(drawn)  # type: ignore[attr-defined]
    return float((batch["rgb"][:, 0, 0, 0] > 100).float().mean())


def test_folders_are_read_as_one_and_names_do_not_collide(roots: list[Path], tmp_path: Path) -> None:
    data = make(roots, tmp_path)
    assert len(set(data.names)) == len(data.names) == sum(COUNTS.values())
    seen: set[int] = set()
    home: dict[str, str] = {}
    for split in ("train", "val", "test"):
        batch = data.sample(split, 100)  # type: ignore[arg-type]
        for index, rgb in zip(batch["index"].tolist(), batch["rgb"], strict=True):
            path = Path(data.names[index])
            assert (rgb == {"many": 50, "few": 200}[path.parent.name]).all()
            assert home.setdefault(path.name, split) == split  # by file name, whatever the folder
            seen.add(index)
    assert seen == set(range(sum(COUNTS.values())))


def test_one_folder_may_be_a_list(roots: list[Path], tmp_path: Path) -> None:
    alone = FolderData(str(roots[0]), None, str(tmp_path), 8, 4, 0.2, 0.2, 0.05)
    alone.setup("fit")
    assert alone.names == make(roots[:1], tmp_path).names


def test_without_weights_each_picture_is_drawn_once(roots: list[Path], tmp_path: Path) -> None:
    sampler = sampler_of(make(roots, tmp_path))
    drawn = list(sampler)
    assert sorted(drawn) == list(range(len(drawn)))


@pytest.mark.parametrize(("weights", "share"), [([1, 1], 0.5), ([1, 3], 0.75), ([2, 0], 0.0), ([0, 0.5], 1.0)])
def test_weights_are_the_folders_shares(weights: list[float], share: float, roots: list[Path], tmp_path: Path) -> None:
    data = make(roots, tmp_path, weights)
    sampler = sampler_of(data)
    epochs = draws(sampler, 40)
    assert {len(epoch) for epoch in epochs} == {len(data.splits["train"])}  # type: ignore[arg-type]
    assert epochs[0] != epochs[1]
    drawn = [index for epoch in epochs for index in epoch]
    assert share_of_few(data, drawn) == pytest.approx(share, abs=0.05)
    assert len(set(drawn)) > 8  # all pictures of a folder, not one
    assert list(sampler_of(data)) == epochs[0]
    assert list(sampler_of(data, seed=1)) != epochs[0]


def test_validation_and_test_are_all_pictures_once(roots: list[Path], tmp_path: Path) -> None:
    data, plain = make(roots, tmp_path, [0, 1]), make(roots, tmp_path)
    for name in ("val_dataloader", "test_dataloader"):
        weighted, each = (
            torch.cat([batch["index"] for batch in getattr(data, name)()]).tolist() for data in (data, plain)
        )
        assert weighted == each
        assert len(set(weighted)) == len(weighted)


def test_ranks_share_one_list_of_draws(roots: list[Path], tmp_path: Path) -> None:
    """What else a rank has drawn at random does not matter."""
    data, ranks = make(roots, tmp_path, [1, 1]), []
    for rank in range(2):
        torch.rand(rank)
        ranks.append(EpochSampler(data.train_sampler(), 2, rank))
    expected_of_epoch = draws(EpochSampler(data.train_sampler()), 3)
    for *drawn, expected in zip(*(draws(sampler, 3) for sampler in ranks), expected_of_epoch, strict=True):
        assert drawn[0] != drawn[1]
        even = expected[: len(expected) // 2 * 2]
        assert drawn[0] == even[::2]
        assert drawn[1] == even[1::2]


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [0, 0], [1, -1], [1, "x"], [float("nan"), 1], [float("inf"), 1]])
def test_wrong_weights_are_named(weights: Any, roots: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"data\.weights=.* for each of the 2 folders of data\.root"):
        make(roots, tmp_path, weights)


def test_weights_that_draw_nothing_are_named(roots: list[Path], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    write_photograph(tmp_path / "none/broken.png", np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "none/broken.png").write_bytes(b"no picture")
    data = make([*roots, tmp_path / "none"], tmp_path / "cache", [0, 0, 1], max_bad_fraction=1)
    with pytest.raises(ColorizeError, match=r"data\.weights=\[0, 0, 1\] draws from no folder"):
        data.train_dataloader()


@pytest.mark.parametrize("again", ["many", "many/../many", "."])
def test_a_folder_within_another_is_named(again: str, roots: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"data\.root takes the photographs of .*many twice"):
        make([roots[0], roots[0].parent / again], tmp_path)


@pytest.mark.parametrize("root", [None, []])
def test_no_folder_at_all_is_named(root: Any, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"No photographs are named: add data\.root=FOLDER"):
        FolderData(root, None, str(tmp_path), 8, 4, 0.2, 0.2, 0.05)


def test_a_share_is_a_number(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"^data\.val_fraction=much must be a number from 0 to 1\.$"):
        FolderData(str(tmp_path), None, str(tmp_path), 8, 4, "much", 0.2, 0.05)  # type: ignore[arg-type]


@pytest.mark.parametrize("fractions", [(-0.1, 0.2), (0.2, -0.1), (0.6, 0.5)])
def test_splits_have_shares_of_a_whole(fractions: tuple[float, float], tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="must not be negative nor add up to more than 1"):
        FolderData(str(tmp_path), None, str(tmp_path), 8, 4, *fractions, 0.05)
