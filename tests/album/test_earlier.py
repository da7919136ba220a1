"""Pictures of earlier starts that lie below the photographs are no photographs."""

from pathlib import Path

import pytest

from colorize.album.ledger import Ledger, LedgerRow
from colorize.album.plan import make_plan
from colorize.errors import ColorizeError


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs, and an earlier start's pictures of them below."""
    monkeypatch.chdir(tmp_path)
    album = Path("album")
    for name in ("a.jpg", "sub/b.jpg", "colour/a.jpg", "colour/sub/b.jpg"):
        (album / name).parent.mkdir(parents=True, exist_ok=True)
        (album / name).write_bytes(b"")
    _report(album / "colour", [album / "a.jpg", album / "sub/b.jpg"])
    return album


def _report(folder: Path, files: list[Path]) -> None:
    ledger = Ledger(folder)
    for file in files:
        ledger.add(LedgerRow(str(file), "done", str(folder / file.name), 1.0, ""))
    ledger.close()


@pytest.mark.parametrize("source", ["album", "album/**/*.jpg"])
@pytest.mark.parametrize("output", ["album/colour2", "out"])
def test_another_output_is_left_out(album: Path, source: str, output: str) -> None:
    plan = make_plan(source, output)
    assert [job.file for job in plan.jobs] == [album / "a.jpg", album / "sub/b.jpg"]
    assert plan.left_out == [album / "colour"]


def test_the_same_output_is_not_named(album: Path) -> None:
    assert make_plan("album", "album/colour").left_out == []


def test_pictures_that_are_the_input_are_coloured(album: Path) -> None:
    plan = make_plan("album/colour", "out")
    assert (len(plan.jobs), plan.left_out) == (2, [])


@pytest.mark.parametrize("text", ["", "name,date\n1,2\n"])
def test_a_report_of_another_program_says_nothing(text: str, album: Path) -> None:
    (album / "colour/report.csv").write_text(text)
    assert len(make_plan("album", "out").jobs) == 4


def test_a_folder_that_holds_the_photographs_too_is_read(album: Path) -> None:
    (album / "colour/report.csv").unlink()
    _report(album, [album / "sub/b.jpg"])
    assert len(make_plan(".", "out").jobs) == 4


def test_nothing_but_pictures_is_refused(album: Path) -> None:
    (album / "a.jpg").unlink()
    (album / "sub/b.jpg").unlink()
    with pytest.raises(ColorizeError, match="colour holds the pictures of an earlier start, and there is no"):
        make_plan("album", "out")
