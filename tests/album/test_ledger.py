"""report.csv: whole rows, one for each photograph, whatever killed the process before."""

import csv
import threading
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from filelock import FileLock

from colorize.album.ledger import COLUMNS, Ledger, LedgerRow
from colorize.errors import ColorizeError

FIRST = LedgerRow('album/a, "b"\n.jpg', "done", "out/a.jpg", 0.125, "")
SECOND = LedgerRow("album/b.jpg", "failed", "out/b.jpg", 0.5, "album/b.jpg: the file is empty")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "report.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add_many(folder: Path, name: str) -> None:
    ledger = Ledger(folder)
    for number in range(200):
        ledger.add(LedgerRow(f"{name}{number}", "done", "x" * 200, 1.0, ""))


def test_rows_are_there_as_soon_as_they_are_added(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "new/out")
    ledger.add(FIRST)
    ledger.add(SECOND)
    assert rows(tmp_path / "new/out") == [
        {"file": FIRST.file, "status": "done", "output": "out/a.jpg", "seconds": "0.125", "message": ""},
        {"file": SECOND.file, "status": "failed", "output": "out/b.jpg", "seconds": "0.5", "message": SECOND.message},
    ]
    ledger.close()
    assert [path.name for path in (tmp_path / "new/out").iterdir()] == ["report.csv"]


def test_the_latest_row_of_a_photograph_counts_and_others_stay(tmp_path: Path) -> None:
    for result in (SECOND, FIRST, replace(SECOND, status="done", message="")):
        ledger = Ledger(tmp_path)
        ledger.add(result)
        ledger.close()
    assert [(row["file"], row["status"]) for row in rows(tmp_path)] == [(FIRST.file, "done"), (SECOND.file, "done")]
    ledger = Ledger(tmp_path)
    assert ledger.status(Path(FIRST.file)) == "done"
    assert ledger.status(Path("album/c.jpg")) is None


@pytest.mark.parametrize("torn", [FIRST, replace(FIRST, message='two\n"lines"')])
def test_a_row_that_was_torn_anywhere_is_dropped_and_the_rest_kept(torn: LedgerRow, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    ledger = Ledger(tmp_path)
    ledger.add(SECOND)
    whole = path.read_bytes()
    ledger.add(torn)
    both = path.read_bytes()
    for end in range(len(whole), len(both)):
        path.write_bytes(both[:end])
        assert list(Ledger(tmp_path).earlier.values()) == [SECOND], both[:end]
        assert path.read_bytes() == whole


def test_names_that_are_not_utf_8_come_back(tmp_path: Path) -> None:
    file = Path("album/\udcff\udc80 é.jpg")
    ledger = Ledger(tmp_path)
    ledger.add(LedgerRow(str(file), "done", str(file), 1.0, ""))
    assert rows(tmp_path)[0]["file"] == "album/\\udcff\\udc80 é.jpg"
    assert Ledger(tmp_path).status(file) == "done"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\x85", "\u2028"])
def test_names_with_line_ends_come_back(end: str, tmp_path: Path) -> None:
    file = Path(f"album/a{end}b.jpg")
    Ledger(tmp_path).add(LedgerRow(str(file), "done", str(file), 1.0, ""))
    Ledger(tmp_path).close()
    assert [row["file"] for row in rows(tmp_path)] == [str(file)]
    assert Ledger(tmp_path).status(file) == "done"


@pytest.mark.parametrize("content", ["name,price\nfish,3\n", "no line end", "file,status\n"])
def test_a_table_of_another_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.csv").write_text(content)
    with pytest.raises(ColorizeError, match=r"report\.csv is not the report of an album: move it away"):
        Ledger(tmp_path)
    assert (tmp_path / "report.csv").read_text() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ColorizeError, match="cannot be written"):
        Ledger(tmp_path / "file/out")


def test_processes_share_it(tmp_path: Path) -> None:
    context = get_context("fork")
    processes = [context.Process(target=add_many, args=(tmp_path, name)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert {row["file"] for row in rows(tmp_path)} == {f"{name}{number}" for name in "ab" for number in range(200)}
    assert all(set(row) == set(COLUMNS) and row["output"] == "x" * 200 for row in rows(tmp_path))


def test_what_was_edited_loses_no_other_row(tmp_path: Path) -> None:
    lines = [",".join(COLUMNS), "album/a.jpg,done,out/a.jpg,soon,", "album/b.jpg,done", ""]
    (tmp_path / "report.csv").write_text("\n".join(lines))
    assert Ledger(tmp_path).earlier == {"album/a.jpg": LedgerRow("album/a.jpg", "done", "out/a.jpg", 0.0, "")}


def test_a_tidy_ledger_is_not_written_anew(tmp_path: Path) -> None:
    Ledger(tmp_path).add(FIRST)
    before = (tmp_path / "report.csv").stat().st_ino
    Ledger(tmp_path)
    assert (tmp_path / "report.csv").stat().st_ino == before


def test_no_row_is_added_while_another_process_tidies(tmp_path: Path) -> None:
    """It would be lost with the file that is replaced."""
    ledger = Ledger(tmp_path)
    adding = threading.Thread(target=ledger.add, args=(FIRST,))
    with FileLock(tmp_path / ".report.csv.lock"):
        adding.start()
        adding.join(0.2)
        assert adding.is_alive()
        assert rows(tmp_path) == []
    adding.join(60)
    assert len(rows(tmp_path)) == 1
