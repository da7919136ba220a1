"""Downloads that are there already: nobody is asked again."""

import socket
from pathlib import Path

import numpy as np
import pytest

from colorize.data.folder import FolderData
from colorize.errors import ColorizeError
from colorize.images import write_photograph


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were looked up; there is no network."""
    names: list[str] = []

    def refuse(host: str, *_: object, **__: object) -> None:
        names.append(host)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return names


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """kagglehub's folder of the data set owner/name, laid out as kagglehub does."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    folder = tmp_path / "kagglehub/datasets/owner/name"
    folder.mkdir(parents=True)
    return folder


def add_version(kaggle: Path, version: int, count: int, complete: bool = True) -> None:
    folder = kaggle / f"versions/{version}/landscape Images/color"
    folder.mkdir(parents=True)
    for number in range(count):
        write_photograph(folder / f"{number}.jpg", np.full((20, 30, 3), number, np.uint8))
    if complete:
        (kaggle / f"{version}.complete").touch()


def make(tmp_path: Path, dataset: str = "owner/name") -> FolderData:
    return FolderData(None, dataset, str(tmp_path / "cache"), 16, 4, 0.2, 0.2, 0.05)


def test_an_offline_node_reads_the_newest_whole_version_and_asks_nobody(
    kaggle: Path, tmp_path: Path, asked: list[str]
) -> None:
    add_version(kaggle, 9, 2)
    add_version(kaggle, 10, 4)
    add_version(kaggle, 11, 6, complete=False)  # its download was cut off
    data = make(tmp_path)
    data.prepare_data()
    data.setup("fit")
    assert len(data.names) == 4
    assert asked == []


def test_a_version_may_be_named(kaggle: Path, tmp_path: Path, asked: list[str]) -> None:
    add_version(kaggle, 9, 2)
    add_version(kaggle, 10, 4)
    data = make(tmp_path, "owner/name/versions/9")
    data.setup("fit")
    assert len(data.names) == 2
    assert asked == []


@pytest.mark.usefixtures("kaggle")
def test_what_is_not_there_is_asked_for(tmp_path: Path, asked: list[str]) -> None:
    with pytest.raises(ColorizeError, match=r"owner/name could not be downloaded .*connect to the network once"):
        make(tmp_path).prepare_data()
    assert asked
