"""How a command that coloured an album ends."""

from pathlib import Path

import pytest

from colorize.album.outcome import Outcome
from colorize.album.plan import Plan
from colorize.commands.predict import end


def test_folders_that_could_not_be_listed_count_as_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan([], tmp_path / "out", unlisted=["album/lost+found: this folder cannot be listed: Permission denied"])
    with pytest.raises(SystemExit) as ended:
        end(Outcome(), plan, overwrite=False)
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"failed: {plan.unlisted[0]}\n"


def test_an_album_without_faults_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(Outcome(), Plan([], tmp_path / "out"), overwrite=False)
    assert capsys.readouterr().err == ""
