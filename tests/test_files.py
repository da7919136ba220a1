"""A file appears whole or not at all, and what a killed process left is removed."""

import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from colorize.files import remove_temporaries, write_whole

WRITER = """
import os, sys
from pathlib import Path
from colorize.files import write_whole

def wait(descriptor):
    print("written, not yet renamed", flush=True)
    sys.stdin.readline()

os.fsync = wait
write_whole(Path(sys.argv[1]), b"whole")
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process in the middle of writing tmp_path/file; it goes on when it is told a line."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written, not yet renamed\n"
        yield process
        process.kill()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fail(self: Path, target: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_every_byte_is_on_the_disk_before_a_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, int]] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(((tmp_path / "file").exists(), os.fstat(file).st_size)))
    write_whole(tmp_path / "file", b"whole")
    assert synced == [(False, 5)]


def test_what_a_living_process_is_writing_stays(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    (temporary,) = tmp_path.iterdir()
    remove_temporaries(tmp_path)
    assert temporary.exists()
    writer.communicate("\n", timeout=60)
    assert writer.returncode == 0
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_what_a_killed_process_was_writing_is_removed(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert len(list(tmp_path.iterdir())) == 1
    writer.kill()
    writer.wait()
    remove_temporaries(tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_temporaries_of_ours_are_removed(tmp_path: Path) -> None:
    ours, *others = [tmp_path / name for name in (f".{'0' * 32}.tmp", ".mine.tmp", f"{'0' * 32}.tmp", "a.jpg")]
    for path in (ours, *others):
        path.write_bytes(b"x")
    remove_temporaries(tmp_path)
    assert set(tmp_path.iterdir()) == set(others)
    remove_temporaries(tmp_path / "none")


def test_a_temporary_that_was_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fcntl.flock
    removed: list[Path] = []

    def flock(file: object, operation: int) -> None:
        if not removed:
            (temporary,) = tmp_path.iterdir()
            temporary.unlink()
            removed.append(temporary)
        whole(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    write_whole(tmp_path / "file", b"whole")
    assert len(removed) == 1
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "picture.jpg").symlink_to(tmp_path / "target")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "none")
    for name in ("picture.jpg", "dangling.jpg"):
        write_whole(tmp_path / name, b"new")
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == b"new"
    assert (tmp_path / "target").read_bytes() == b"mine"
    assert not (tmp_path / "none").exists()


def test_who_may_read_a_file_follows_from_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
