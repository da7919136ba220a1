"""The finished parts of a film: what an earlier start left is gone on with, but for what is damaged."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from colorize.film.segments import Segments

CARRY = {"gray": np.zeros((4, 4), np.uint8), "phase": np.array(0)}


def begin(output: Path) -> Segments:
    return Segments(output, {"film": "film.mkv"}, {"threads": 1})


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """That of a film of which three segments are finished."""
    with begin(tmp_path / "out.mkv") as segments:
        for _ in range(3):
            with segments.begin() as writer:
                writer.carry, writer.frames = CARRY, 7
    return tmp_path / "out.mkv"


def test_what_is_finished_is_found_again(output: Path) -> None:
    with begin(output) as segments:
        assert (segments.frames, segments.is_anew) == (21, False)
        assert segments.carry is not None
        assert {name: values.tolist() for name, values in segments.carry.items()} == {
            name: values.tolist() for name, values in CARRY.items()
        }


def test_an_open_lock_that_a_network_disk_keeps_is_no_error(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS only renames an open file that is removed: its folder cannot be removed before it is closed."""
    real = os.unlink

    def unlink(path: Path | str, *, dir_fd: int | None = None) -> None:
        if str(path).endswith("lock"):
            os.rename(path, f"{path}.nfs", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        else:
            real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    with begin(output) as segments:
        segments.is_joined = True
    assert [path.name for path in segments.folder.iterdir()] == ["lock.nfs"]


def test_what_is_joined_leaves_nothing(output: Path) -> None:
    with begin(output) as segments:
        segments.is_joined = True
    assert list(output.parent.iterdir()) == []


def test_what_cannot_be_begun_leaves_nothing(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    other = Segments(output, {"film": "other.mkv"}, {"threads": 1})
    with monkeypatch.context() as full:
        full.setattr("colorize.film.segments.write_whole", write)
        with pytest.raises(OSError, match="No space left"):
            other.__enter__()
    assert list(output.parent.iterdir()) == []
    with begin(output) as segments:  # which nobody else is making
        assert segments.frames == 0


@pytest.mark.parametrize("kind", ["flipped", "cut"])
def test_a_damaged_segment_is_made_again(kind: str, output: Path) -> None:
    """Wherever the damage is, what is found is either all that was written, or what is before it."""
    path = output.parent / ".out.mkv.segments/000001.segment"
    good, found = path.read_bytes(), set()
    for place in range(0, len(good), 5):
        damaged = good[:place] + bytes([good[place] ^ 255]) + good[place + 1 :] if kind == "flipped" else good[:place]
        path.write_bytes(damaged)
        with begin(output) as segments:
            found.add(len(segments.finished))
    assert found <= {1, 3}
    assert 1 in found
