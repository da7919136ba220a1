"""CIFAR-10 from an archive of arrays, and what is said when there is none."""

from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from colorize.data import cifar10
from colorize.data.cifar10 import CIFAR10Data
from colorize.errors import ColorizeError


def write(folder: Path, **changes: object) -> Path:
    pictures = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    arrays: dict[str, object] = {"x_train": pictures, "x_test": pictures[:6]} | changes
    np.savez(folder / "cifar10.npz", **{k: v for k, v in arrays.items() if v is not None})  # type: ignore[arg-type]
    return folder


def make(root: Path | None, cache: Path, seed: int = 0, val: float = 0.2) -> CIFAR10Data:
    return CIFAR10Data(None if root is None else str(root), str(cache), batch_size=4, val_fraction=val, split_seed=seed)


def test_validation_is_cut_from_training_by_seed(tmp_path: Path) -> None:
    root = write(tmp_path)
    rows = []
    for seed in (0, 0, 1):
        data = make(root, tmp_path, seed)
        data.setup("fit")
        train, val = (set(data.sample(split, 99)["index"].tolist()) for split in ("train", "val"))  # type: ignore[arg-type]
        assert (len(train), len(val), len(data.sample("test", 99)["index"])) == (16, 4, 6)
        assert train | val == set(range(20))
        rows.append(val)
    assert rows[0] == rows[1] != rows[2]


def test_validation_samples_do_not_depend_on_its_size(tmp_path: Path) -> None:
    root = write(tmp_path)
    samples = []
    for fraction in (0.2, 0.5):
        data = make(root, tmp_path, val=fraction)
        data.setup("fit")
        samples.append(data.sample("val", 3)["index"].tolist())
    assert samples[0] == samples[1]


def test_batches_hold_the_pictures_of_the_archive(tmp_path: Path) -> None:
    data = make(write(tmp_path), tmp_path)
    data.setup("fit")
    batch = data.sample("test", 6)
    with np.load(tmp_path / "cifar10.npz") as archive:
        np.testing.assert_array_equal(batch["rgb"].permute(0, 2, 3, 1), archive["x_test"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_test": None}, "must hold the arrays x_train and x_test"),
        ({"x_train": np.zeros((4, 3, 32, 32), np.uint8)}, r"x_train is uint8 \(4, 3, 32, 32\)"),
        ({"x_test": np.zeros((4, 32, 32, 3))}, "x_test is float64"),
        ({"x_train": np.array([print], dtype=object)}, "cannot be read"),
    ],
)
def test_a_wrong_archive_is_refused(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    data = make(write(tmp_path, **changes), tmp_path)
    with pytest.raises(ColorizeError, match=words):
        data.setup("fit")


def test_without_network_both_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr(cifar10, "CIFAR10", no_network)
    with pytest.raises(ColorizeError, match=r"no route.*connect to the network once, or give data.root=FOLDER"):
        make(None, tmp_path).prepare_data()


class Torchvision:
    """Stands for torchvision's CIFAR10: counts the downloads, which may be cut off."""

    downloads = 0
    cut_off = False

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        folder = Path(root, "cifar-10-batches-py")
        if download:
            Torchvision.downloads += 1
            folder.mkdir()
            if Torchvision.cut_off:
                raise URLError("cut off")
            (folder / "data_batch_1").touch()
        if not (folder / "data_batch_1").exists():
            raise RuntimeError("Dataset not found or corrupted.")
        self.data = np.zeros((20 if train else 6, 32, 32, 3), np.uint8)


def test_one_download_is_for_ever_and_none_is_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "CIFAR10", Torchvision)
    monkeypatch.setattr(Torchvision, "downloads", 0)
    monkeypatch.setattr(Torchvision, "cut_off", True)
    with pytest.raises(ColorizeError, match="cut off"):
        make(None, tmp_path).prepare_data()
    assert list((tmp_path / "cifar10").iterdir()) == []
    monkeypatch.setattr(Torchvision, "cut_off", False)
    for _ in range(3):
        data = make(None, tmp_path)
        data.prepare_data()
        data.setup("fit")
        assert len(data.sample("test", 99)["index"]) == 6
    assert Torchvision.downloads == 2


def test_a_damaged_download_is_named(tmp_path: Path) -> None:
    (tmp_path / "cifar10/cifar-10-batches-py").mkdir(parents=True)
    data = make(None, tmp_path)
    data.prepare_data()
    with pytest.raises(ColorizeError, match=r"official md5: .*remove it and leave data.root out to download it"):
        data.setup("fit")


def test_a_folder_without_cifar10_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"holds neither a cifar10.npz nor"):
        make(tmp_path, tmp_path).setup("fit")


@pytest.mark.parametrize(("fraction", "split"), [(0.001, "val"), (0.999, "train")])
def test_a_split_without_a_picture_names_the_fraction(fraction: float, split: str, tmp_path: Path) -> None:
    data = make(write(tmp_path), tmp_path, val=fraction)
    data.setup("fit")
    with pytest.raises(ColorizeError, match=rf"holds no picture: change data\.val_fraction={fraction}\.$"):
        getattr(data, f"{split}_dataloader")()


def test_other_sizes_and_fractions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="32x32"):
        CIFAR10Data(None, str(tmp_path), batch_size=4, val_fraction=0.1, image_size=64)
    for fraction in (1.0, "half"):
        with pytest.raises(ColorizeError, match="between 0 and 1"):
            CIFAR10Data(None, str(tmp_path), batch_size=4, val_fraction=fraction)  # type: ignore[arg-type]


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = CIFAR10Data(root=None, cache_dir=str(tmp_path / "file"), batch_size=4, val_fraction=0.1)
    with pytest.raises(ColorizeError, match=r"file/cifar10 cannot be made .*data\.cache_dir"):
        data.prepare_data()
