"""Runs that the page is opened for."""

from pathlib import Path

import pytest
from PIL import Image

from colorize.app.choices import Choices
from colorize.app.runs import open_runs
from colorize.errors import ColorizeError
from tests.app.runs import make_run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "place"


def test_a_sweep_is_its_runs_and_their_comparison(tmp_path: Path, place: Path) -> None:
    for number, width in enumerate((4, 8)):
        make_run(tmp_path / "sweep" / str(number), width)
    (tmp_path / "sweep/1/checkpoints/best.ckpt").touch()
    before = sorted(tmp_path.rglob("*"))
    runs = open_runs([tmp_path / "sweep"], place)
    assert list(runs.views) == ["run 0", "run 1"]
    view = runs.views["run 0"]
    assert view.about.startswith("**width=4**: done")
    assert "| psnr | 23.5 | 21 |" in view.about
    assert view.curves is not None
    with Image.open(view.curves) as curves:
        assert (curves.size, curves.getpixel((0, 0))) == ((30, 20), (4, 4, 4))
    assert "model.network.width" in runs.comparison
    assert runs.picture.stat().st_size > 0
    assert runs.checkpoints == {"run 1": tmp_path / "sweep/1/checkpoints/best.ckpt"}
    assert Choices(runs.checkpoints).names == ["run 1", "cifar10", "landscapes", "photographs"]
    assert sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(place)) == before


def test_a_run_shows_pictures_and_nothing_else(tmp_path: Path, place: Path) -> None:
    """What lies in a stranger's run may be a link to what is not theirs."""
    run = make_run(tmp_path / "run", 4)
    (tmp_path / "secret.txt").write_text("secret")
    (run / "curves.png").unlink()
    (run / "curves.png").symlink_to(tmp_path / "secret.txt")
    (run / "samples.png").unlink()
    [view] = open_runs([run], place).views.values()
    assert (view.curves, view.samples) == (None, None)
    assert "curves.png: cannot be read as a photograph" in view.about
    assert "secret" not in "".join(path.read_text(errors="replace") for path in place.rglob("*") if path.is_file())


def test_a_run_that_failed_says_why(tmp_path: Path, place: Path) -> None:
    run = make_run(tmp_path / "run", 4)
    (run / "error.txt").write_text("the loss is nan")
    [view] = open_runs([run], place).views.values()
    assert "failed: the loss is nan" in view.about


@pytest.mark.parametrize("name", ["none", "file.txt", "empty"])
def test_a_folder_that_is_of_no_run_is_refused(tmp_path: Path, place: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ColorizeError, match=rf"{name} is (no folder: give|neither a run nor a sweep)"):
        open_runs([tmp_path / name], place)
