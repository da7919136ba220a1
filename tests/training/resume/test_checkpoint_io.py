"""A checkpoint that cannot be written leaves the one before."""

import errno
import logging
import os
from pathlib import Path

import pytest
import torch

from colorize.errors import ColorizeError
from colorize.training.resume.checkpoint_io import WholeCheckpointIO


def read(path: Path) -> int:
    step: int = torch.load(path, weights_only=True)["step"]
    return step


def full_disk(number: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_checkpoint_before_is_kept_where_asked_for(tmp_path: Path) -> None:
    writer, path = WholeCheckpointIO(), tmp_path / "checkpoints/last.ckpt"
    for step in range(3):
        writer.save_checkpoint({"step": step}, path, storage_options={"spare": True})
    assert (read(path), read(path.with_name("previous.ckpt"))) == (2, 1)
    best = tmp_path / "checkpoints/best.ckpt"
    for step in (5, 1):
        writer.save_checkpoint({"step": step}, best)
    assert (read(best), read(path.with_name("previous.ckpt"))) == (1, 1)
    assert sorted(file.name for file in path.parent.iterdir()) == ["best.ckpt", "last.ckpt", "previous.ckpt"]


def test_the_one_before_keeps_its_name_until_the_new_one_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, path = WholeCheckpointIO(), tmp_path / "last.ckpt"
    writer.save_checkpoint({"step": 0}, path, storage_options={"spare": True})
    synced: list[tuple[bool, int]] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append((path.exists(), os.fstat(file).st_size)))
    writer.save_checkpoint({"step": 1}, path, storage_options={"spare": True})
    assert synced[0] == (True, path.stat().st_size)


@pytest.mark.parametrize("spare", [True, False])
def test_a_full_disk_is_said_and_spoils_nothing(
    spare: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer, path = WholeCheckpointIO(), tmp_path / "last.ckpt"
    options = {"spare": True} if spare else None
    writer.save_checkpoint({"step": 0}, path, options)
    monkeypatch.setattr(os, "fsync", full_disk)
    with caplog.at_level(logging.WARNING):
        if spare:
            writer.save_checkpoint({"step": 1}, path, options)
            assert f"{path} cannot be written" in caplog.text
            assert "No space left on device" in caplog.text
        else:
            with pytest.raises(ColorizeError, match=r"cannot be written \(.*No space left on device.*resume=true"):
                writer.save_checkpoint({"step": 1}, path, options)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
    assert read(path) == 0
