"""The command that messages name is the one that the user ran."""

import sys
from pathlib import Path

import pytest

from colorize.program import command, other


@pytest.mark.parametrize(
    ("ran", "own", "others"),
    [
        ("train.py", "python train.py", "python predict.py"),
        ("/a b/train.py", "python '/a b/train.py'", "python '/a b/predict.py'"),
        ("/nowhere/bin/colorize-train", "/nowhere/bin/colorize-train", "colorize"),
        ("-c", "-c", "colorize"),
    ],
)
def test_a_script_has_a_script_beside_it(ran: str, own: str, others: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [ran])
    monkeypatch.setenv("PATH", "")
    assert command() == own
    assert other("predict") == others


def test_an_installed_command_goes_by_its_name_if_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("colorize", "colorize-train"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "colorize-train")])
    monkeypatch.setenv("PATH", "")
    assert (command(), other("predict")) == (str(tmp_path / "colorize-train"), str(tmp_path / "colorize"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (command(), other("predict")) == ("colorize-train", "colorize")
