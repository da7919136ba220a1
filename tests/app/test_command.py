"""The command line of colorize-app: what is wrong with it is one sentence."""

import signal
import socket
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from colorize.app import __main__ as command
from colorize.app.choices import Choices, describe, has_distribution
from colorize.app.limits import LIMITS, Limits
from colorize.errors import ColorizeError
from colorize.targets import GrayscaleTarget, LabTarget
from tests.inference.unsure import unsure

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """With what arguments the page would be served."""
    calls: list[Any] = []
    monkeypatch.setattr(command, "serve", lambda *arguments: calls.append(arguments))
    return calls


def test_loopback_is_the_default(served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    command.main([])
    assert served == [([], "127.0.0.1", 7860, Limits(), "auto", "auto")]
    assert capsys.readouterr().err == ""


def test_another_host_is_said_to_be_open(served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["run", "--host", "0.0.0.0", "--max-files", "3", "--max-megapixels", "12.5"])
    [[folders, host, _, limits, *_]] = served
    assert (folders, host, limits) == ([Path("run")], "0.0.0.0", Limits(files=3, megapixels=12.5))
    assert capsys.readouterr().err == "Whoever reaches 0.0.0.0 can use the page: it asks for no password.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--port", "x"],
        ["--max-files", "0"],
        ["--max-files", "1.5"],
        ["--max-seconds", "nan"],
        ["--max-gigabytes", "-1"],
    ],
)
def test_a_value_that_is_not_possible_is_refused(
    words: list[str], served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert f"argument {words[0]}: invalid" in capsys.readouterr().err
    assert served == []


def test_help_names_every_limit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])
    text = capsys.readouterr().out
    assert all(f"--max-{name}" in text for name in LIMITS)


def test_a_port_that_is_taken_is_said_to_be() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            command.main(["--port", str(port)])
    assert str(ended.value.code).startswith(f"error: 127.0.0.1:{port} cannot be listened to (")
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize("words", [["--port", "70000"], ["--host", "no.such.name.invalid"], ["--plugin", "no_module"]])
def test_what_cannot_be_is_one_sentence(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert str(ended.value.code).startswith("error: ")


def test_without_gradio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(SystemExit) as ended:
        command.main(["--port", "0"])
    assert ended.value.code == "error: The page needs Gradio: pip install 'colorize[app]'."


def test_the_entry_point_is_there() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["colorize-app"].partition(":")
    assert getattr(import_module(module), name) is command.main


def test_weights_are_known_by_name_only(tmp_path: Path) -> None:
    choices = Choices({"run 1": tmp_path / "best.ckpt"})
    assert choices.names == ["run 1", "cifar10", "landscapes", "photographs"]
    for name in ("/etc/passwd", str(tmp_path), "", "Photographs"):
        with pytest.raises(ColorizeError, match=r"weights .* is unknown"):
            choices.load(name)
    with pytest.raises(ColorizeError, match="There is no checkpoint at"):
        choices.load("run 1")
    assert choices.load("cifar10") is choices.load("cifar10")


def test_what_weights_give_is_told() -> None:
    assert has_distribution(unsure())
    assert not has_distribution(unsure(LabTarget()))
    assert describe(unsure(LabTarget()))[-1].startswith("It knows one colouring")
    assert describe(unsure(GrayscaleTarget()))[-1] == "It takes colour away."
    assert len(describe(unsure(metrics=0.0))) == 1
