"""An album from its plan to its outcome, in one process or in the share of one of two."""

import csv
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colorize.album.ledger import Ledger, LedgerRow
from colorize.album.outcome import Outcome
from colorize.album.plan import make_plan
from colorize.album.ranks import Ranks
from colorize.album.settings import Settings
from colorize.album.share import KEPT, color_album
from colorize.album.stop import Stop
from colorize.errors import ColorizeError
from colorize.images import Pixels
from tests.album.red import Red, photograph, pixel, temporary_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        photograph(Path(f"album/{number}.png"))
    return Path("album")


def color(colorizer: Any = None, ranks: Ranks | None = None, stop: Stop | None = None, **settings: Any) -> Outcome:
    chosen = Settings(num_threads=1, **settings)
    return color_album(make_plan("album", "out"), colorizer or Red(), chosen, ranks or Ranks("cpu"), stop or Stop())


def rows() -> dict[str, tuple[str, str]]:
    with Path("out/report.csv").open(newline="") as file:
        return {Path(row["file"]).name: (row["status"], row["message"]) for row in csv.DictReader(file)}


@pytest.mark.usefixtures("folder")
def test_all_are_made_and_told() -> None:
    outcome = color()
    assert (outcome.total, outcome.left, outcome.stopped, outcome.failed) == (4, 0, False, [])
    assert outcome.summary() == "4 written, 0 kept, 0 failed"
    assert rows() == {f"{number}.png": ("done", "") for number in range(4)}
    assert not temporary_files()


@pytest.mark.usefixtures("folder")
def test_a_folder_where_a_picture_goes_is_no_picture() -> None:
    Path("out/1.png").mkdir(parents=True)
    outcome = color()
    assert outcome.summary() == "3 written, 0 kept, 1 failed"
    assert outcome.failed == ["out/1.png: cannot be written: Is a directory"]


@pytest.mark.usefixtures("folder")
def test_damaged_exif_is_no_warning_without_a_name(recwarn: pytest.WarningsRecorder) -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0\xff\xff"
    Image.new("L", (8, 8)).save("album/4.png", exif=block)
    assert color().summary() == "5 written, 0 kept, 0 failed"
    assert not [warning for warning in recwarn if warning.category is UserWarning]


def test_a_name_too_long_for_its_picture_is_told(tmp_path: Path) -> None:
    photograph(tmp_path / f"{'x' * 245}.png")
    plan = make_plan(str(tmp_path / f"{'x' * 245}.png"))
    outcome = color_album(plan, Red(), Settings(num_threads=1), Ranks("cpu"), Stop())
    assert outcome.failed == [f"{plan.jobs[0].output}: cannot be written: File name too long"]


@pytest.mark.usefixtures("folder")
def test_what_is_there_is_kept_and_a_failure_is_tried_again(folder: Path) -> None:
    bad = folder / "0.png"
    whole = bad.read_bytes()
    bad.write_text("words")
    photograph(Path("out/1.png"), 1, 1)
    first = color()
    assert first.summary() == "2 written, 1 kept, 1 failed"
    assert first.failed == [message for status, message in rows().values() if status == "failed"]
    assert rows()["1.png"] == ("kept", KEPT)
    bad.write_bytes(whole)
    assert color().summary() == "1 written, 3 kept, 0 failed"
    assert rows() == {"1.png": ("kept", KEPT)} | {f"{number}.png": ("done", "") for number in (0, 2, 3)}
    assert color(overwrite=True).summary() == "4 written, 0 kept, 0 failed"
    assert pixel("out/1.png")[0] == (24, 16)


@pytest.mark.usefixtures("folder")
def test_a_photograph_is_done_when_all_its_pictures_are_there() -> None:
    plan = make_plan("album", "out", side_by_side=True)
    assert color().summary() == "4 written, 0 kept, 0 failed"
    for file in ("out/1.png", "out/2_side_by_side.png"):
        color_album(plan, Red(), Settings(num_threads=1, side_by_side=True), Ranks("cpu"), Stop())
        assert len(list(Path("out").glob("*.png"))) == 8
        Path(file).unlink()
    outcome = color_album(plan, Red(), Settings(num_threads=1, side_by_side=True), Ranks("cpu"), Stop())
    assert outcome.summary() == "1 written, 3 kept, 0 failed"


@pytest.mark.usefixtures("folder")
def test_a_copy_that_is_gone_is_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    Ledger(Path("out")).add(LedgerRow("album/1.png", "colored", "out/1.png", 0.1, "already in colour: copied"))
    assert color().summary() == "4 written, 0 kept, 0 failed"
    assert "4/4" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_stop_leaves_the_rest() -> None:
    stop = Stop()

    class Asking(Red):
        def merge(self, pixels: Pixels, *others: Any) -> Pixels:
            assert stop.gentle
            stop.asked = True
            return super().merge(pixels, *others)

    outcome = color(Asking(), stop=stop, batch_size=1)
    assert outcome.stopped
    assert 0 < outcome.left < 4
    assert len(rows()) == outcome.total - outcome.left


class SecondOfTwo(Ranks):
    """The first rank has told it of the jobs of the album, and has kept one picture."""

    rank = 1
    world = 2

    def connect(self, value: Any) -> Any:
        return type(value)(make_plan("album", "out").jobs, Path("out"))

    def gather(self, value: Any) -> list[Any]:
        first = Outcome(total=4)
        first.counts["kept"] += 2
        return [first, value]


@pytest.mark.usefixtures("folder")
def test_a_rank_makes_its_share() -> None:
    outcome = color_album(None, Red(), Settings(num_threads=1), SecondOfTwo("cpu"), Stop())  # type: ignore[arg-type]
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["1.png", "3.png"]
    assert (outcome.summary(), outcome.left) == ("2 written, 2 kept, 0 failed", 0)


@pytest.mark.usefixtures("folder")
def test_weights_that_take_colour_away_have_no_use_for_keep_color() -> None:
    gray = Red()
    gray.at_full_size = True
    with pytest.raises(ColorizeError, match="keep_color=true has no use"):
        color(gray, keep_color=True)
    assert not Path("out").exists()
