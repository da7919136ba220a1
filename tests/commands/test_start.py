"""What the commands answer without doing anything."""

import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest

from colorize.commands.start import predict, train


@pytest.mark.parametrize("command", [predict, train])
def test_the_version_is_our_own(
    command: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["colorize", "--version"])
    command()
    assert capsys.readouterr().out == f"colorize {version('colorize')}\n"
