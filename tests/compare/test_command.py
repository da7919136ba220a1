"""python -m colorize.compare: where its files go, and what it says when they cannot."""

from pathlib import Path

import pytest

from colorize.compare.__main__ import main
from tests.compare.conftest import MakeRun


def test_the_output_may_be_below_the_home(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    main([str(make_run(0)), "--output=~/out"])  # in which a shell expands nothing
    assert (tmp_path / "out/comparison.csv").is_file()


def test_an_output_that_cannot_be_written_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"error: the comparison cannot be written into .*/file/out: .*; give another"):
        main([str(make_run(0)), "--output", str(tmp_path / "file/out")])


def test_names_need_not_be_utf_8(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make_run(0), make_run(1, None, "bad")
    first.rename(first.with_name("caf\udce9"))
    output = tmp_path / "out\udcff"
    main([str(first.parent), str(second), "--output", str(output)])
    for text in (capsys.readouterr().out, (output / "comparison.csv").read_text(encoding="utf-8")):
        assert "caf\\udce9" in text
