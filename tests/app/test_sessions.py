"""Open pages and their files."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from colorize.app.sessions import LONGEST_IDLE, Sessions, take


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    (tmp_path / "files").mkdir()
    return Sessions(tmp_path / "files")


def left(sessions: Sessions) -> list[str]:
    return sorted(str(path.relative_to(sessions.root)) for path in sessions.root.rglob("*") if path.is_file())


def make(sessions: Sessions, name: str, part: str = "one") -> Path:
    with sessions.folder(name, part) as (folder, _):
        (folder / "picture.jpg").write_bytes(name.encode())
    return folder


def test_new_results_replace_those_of_the_same_part(sessions: Sessions) -> None:
    first, other = make(sessions, "a"), make(sessions, "a", "several")
    with sessions.folder("a", "one"):
        assert first.exists()  # until the new ones are there
    assert not first.exists()
    assert other.exists()


def test_what_failed_leaves_nothing_and_keeps_the_results_before(sessions: Sessions) -> None:
    kept = make(sessions, "a")

    def fail() -> None:
        with sessions.folder("a", "one") as (folder, _):
            (folder / "half.jpg").touch()
            raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        fail()
    assert left(sessions) == [f"{kept.name}/picture.jpg"]


def test_a_page_that_is_closed_leaves_nothing(sessions: Sessions) -> None:
    make(sessions, "a")
    make(sessions, "a", "several")
    upload = sessions.root / "photo.jpg"
    upload.touch()
    sessions.add_uploads("a", [upload])
    other = make(sessions, "b")
    sessions.close("a")
    sessions.close("a")  # and again, as a browser may say
    assert left(sessions) == [f"{other.name}/picture.jpg"]


def test_a_page_that_is_closed_ends_its_work_which_leaves_nothing(sessions: Sessions) -> None:
    with sessions.folder("a", "one") as (folder, stop):
        assert not stop.is_set()
        sessions.close("a")
        assert stop.is_set()
        (folder / "picture.jpg").touch()
    assert left(sessions) == []


def test_a_part_is_stopped_whatever_else_is_begun(sessions: Sessions) -> None:
    sessions.stop("a", "several")  # of which there is no work
    with sessions.folder("a", "one") as (_, one), sessions.folder("a", "several") as (_, several):
        sessions.stop("a", "several")
        with sessions.folder("a", "one"):
            assert several.is_set()
            assert not one.is_set()


def test_a_file_that_two_pages_sent_stays_for_the_other(sessions: Sessions) -> None:
    upload = sessions.root / "photo.jpg"
    upload.touch()
    for name in "ab":
        sessions.add_uploads(name, [upload])
    sessions.close("a")
    assert upload.exists()
    sessions.close("b")
    assert not upload.exists()


class Slow(set[Path]):
    """Files that take a while to be looked through."""

    def __iter__(self) -> Iterator[Path]:
        for path in super().__iter__():
            time.sleep(0.2)
            yield path


def test_a_page_is_closed_while_another_sends_files(sessions: Sessions) -> None:
    paths = [sessions.root / f"{number}.jpg" for number in range(4)]
    for path in paths:
        path.touch()
    sessions.add_uploads("a", paths[:1])
    sessions["b"].uploads = Slow(paths[1:3])
    begun = threading.Event()

    def sent() -> Iterator[Path]:
        begun.set()
        time.sleep(0.1)
        yield paths[3]

    sending = threading.Thread(target=sessions.add_uploads, args=("b", sent()))
    sending.start()
    assert begun.wait(10)
    sessions.close("a")
    sending.join()
    assert left(sessions) == ["1.jpg", "2.jpg", "3.jpg"]
    assert sessions["b"].uploads == set(paths[1:])


def test_a_page_that_nobody_uses_is_closed(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("colorize.app.sessions.time.monotonic", lambda: now)
    make(sessions, "a")
    now = LONGEST_IDLE - 1
    make(sessions, "b")
    assert len(left(sessions)) == 2
    now = LONGEST_IDLE + 1
    kept = make(sessions, "b")
    assert left(sessions) == [f"{kept.name}/picture.jpg"]


def test_empty_files_that_gradio_leaves_are_removed(sessions: Sessions) -> None:
    for name, content, age in (("tmp1", "", 100), ("tmp2", "x", 100), ("tmp3", "", 0)):
        (sessions.root / name).write_text(content)
        then = time.time() - age
        os.utime(sessions.root / name, (then, then))
    sessions.add_uploads("a", [sessions.root / "gone.jpg"])
    sessions.close("a")
    assert left(sessions) == ["tmp2", "tmp3"]


def test_files_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    names = ["a/photo.jpg", "b/photo.jpg", "b/photo.png", "c/Photo.JPG", "c/photo"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    taken = [take(tmp_path / name, folder) for name in names]
    assert [path.name for path in taken] == [
        "photo.jpg",
        "photo (2).jpg",
        "photo (3).png",
        "Photo (4).JPG",
        "photo (5)",
    ]
    assert [path.read_text() for path in taken] == names
