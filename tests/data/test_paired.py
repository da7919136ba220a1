"""Pairs of folders: partners found by name, the gray file as the target, the splits."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from PIL.ExifTags import Base

from colorize.data.paired import PairedData
from colorize.errors import ColorizeError
from colorize.images import write_photograph
from colorize.tasks import GrayscaleTask

MakePairs = Callable[..., Path]


@pytest.fixture
def make_pairs(tmp_path: Path) -> MakePairs:
    """Makes training/colored and training/grey with `count` pictures; the grey ones are darker than the formula's."""

    def make(count: int = 20, grey: str = "grey") -> Path:
        rng = np.random.default_rng(0)
        for name in ("colored", grey):
            (tmp_path / "training" / name).mkdir(parents=True)
        for number in range(count):
            rgb = cv2.resize(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8), (40, 32))
            write_photograph(tmp_path / "training/colored" / f"flower {number}.png", rgb)
            darker = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) // 2
            write_photograph(tmp_path / "training" / grey / f"flower {number}.png", darker)
        return tmp_path

    return make


def paired(root: Path, colored: str = "training/colored", gray: str | None = "auto", val: float = 0.2) -> PairedData:
    data = PairedData(str(root), colored, gray, str(root / "cache"), 32, 4, val, 0.2, 0.05)
    data.prepare_data()
    data.setup("fit")
    return data


def test_each_picture_comes_with_its_own_partner(make_pairs: MakePairs) -> None:
    data = paired(make_pairs())
    assert sum(len(dataset) for dataset in data.splits.values()) == 20  # type: ignore[arg-type]
    seen = 0
    for split in ("train", "val", "test"):
        batch = data.sample(split, 100)
        assert batch["gray"].shape == (len(batch["rgb"]), 1, 32, 32)
        assert batch["gray"].dtype == torch.uint8
        for rgb, gray in zip(batch["rgb"], batch["gray"], strict=True):
            formula = cv2.cvtColor(rgb.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY).astype(float) / 2
            assert np.abs(formula - gray[0].numpy()).mean() < 1.5
            seen += 1
    assert seen == 20


def test_the_gray_file_is_the_target(make_pairs: MakePairs) -> None:
    task = GrayscaleTask({"name": "ConvAutoencoder", "width": 4}, {"name": "mse"}, {"name": "Adam"})
    batch = paired(make_pairs()).sample("train", 4)
    assert torch.equal(task.answer(batch), batch["gray"].float() / 255)


@pytest.mark.parametrize("gray", [None, "auto"])
def test_without_a_gray_folder_the_formula_is_the_target(
    gray: str | None, make_pairs: MakePairs, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_pairs(grey="elsewhere")
    assert "gray" not in paired(root, gray=gray).sample("train", 2)
    assert "the target is the Rec.601 gray" in caplog.text


def test_partners_may_differ_in_extension_and_lie_anywhere(make_pairs: MakePairs) -> None:
    root = make_pairs(grey="elsewhere")
    file = root / "training/elsewhere/flower 3.png"
    write_photograph(file.with_suffix(".tif"), cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
    file.unlink()
    data = paired(root, colored=str(root / "training/colored"), gray="training/elsewhere")
    assert len(data.names) == 20


def test_missing_and_extra_partners_are_named(make_pairs: MakePairs) -> None:
    root = make_pairs()
    (root / "training/grey/flower 7.png").unlink()
    write_photograph(root / "training/grey/rose.png", np.zeros((32, 40), np.uint8))
    with pytest.raises(ColorizeError, match=r"1 of .*colored have no partner .*\(flower 7.png\); 1 of .*rose\.png"):
        paired(root)


def test_partners_of_different_size_are_named(make_pairs: MakePairs) -> None:
    root = make_pairs()
    write_photograph(root / "training/grey/flower 7.png", np.zeros((32, 32), np.uint8))
    with pytest.raises(ColorizeError, match=r"flower 7.png is 40x32 but its partner .* is 32x32"):
        paired(root)


def test_partners_are_compared_upright(make_pairs: MakePairs) -> None:
    root = make_pairs()
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    (root / "training/colored/flower 7.png").unlink()
    Image.new("RGB", (32, 40)).save(root / "training/colored/flower 7.jpg", exif=exif)
    assert len(paired(root).names) == 20
    Image.new("RGB", (40, 32)).save(root / "training/colored/flower 7.jpg", exif=exif)
    with pytest.raises(ColorizeError, match=r"flower 7\.jpg is 32x40 but its partner .* is 40x32"):
        paired(root)


def test_two_files_of_one_stem_are_named(make_pairs: MakePairs) -> None:
    root = make_pairs()
    write_photograph(root / "training/grey/flower 7.tif", np.zeros((32, 40), np.uint8))
    with pytest.raises(ColorizeError, match="differ only in their extension"):
        paired(root)


def test_an_unreadable_file_leaves_its_pair_out(make_pairs: MakePairs, caplog: pytest.LogCaptureFixture) -> None:
    root = make_pairs(30)
    (root / "training/grey/flower 7.png").write_bytes(b"not a picture")
    data = paired(root)
    assert len(data.names) == 29
    assert "flower 7.png" in caplog.text
    for split in ("train", "val", "test"):
        batch = data.sample(split, 100)
        for rgb, index in zip(batch["rgb"], batch["index"].tolist(), strict=True):
            picture = ImageOps.fit(Image.open(data.names[index]), (32, 32), Image.Resampling.LANCZOS)
            assert np.array_equal(rgb.permute(1, 2, 0), picture)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"training/colored: there is no such folder"):
        paired(tmp_path)


def test_an_empty_split_is_named(make_pairs: MakePairs) -> None:
    data = paired(make_pairs(), val=0)
    with pytest.raises(ColorizeError, match="None of the 20 photographs falls into the validation split"):
        data.val_dataloader()
