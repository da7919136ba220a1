"""compile=true: the same network under the same names, or one sentence."""

import sys
from pathlib import Path

import pytest
import torch

from colorize.errors import ColorizeError
from colorize.training.compiling import compile_network
from tests.training.small import make_task


def test_it_compiles_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task()
    names, seen = list(task.state_dict()), torch.rand(1, 1, 16, 16)
    expected = task(seen)
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function, **_: lambda *args: compiled.append(1) or function(*args))
    monkeypatch.setattr("shutil.which", lambda name: name)
    compile_network(task)
    assert list(task.state_dict()) == names
    assert torch.equal(task(seen), expected)
    assert compiled == [1]


@pytest.fixture
def compilers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all programs that are found; none so far, and the environment names none."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "variable", "program"),
    [
        ("linux", "", "g++"),
        ("darwin", "", "clang++"),
        ("linux", "clang++", "clang++"),
        ("linux", "ccache g++", "ccache"),
    ],
)
def test_the_compiler_that_torch_takes_is_enough(
    platform: str, variable: str, program: str, compilers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (compilers / program).touch(0o755)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("CXX", variable)
    compile_network(make_task())


@pytest.mark.parametrize(("variable", "named"), [("", "g++"), ("/no/compiler", "/no/compiler")])
def test_without_a_compiler_it_says_so(
    variable: str, named: str, compilers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one than the environment names, or than torch looks for, is of no use."""
    (compilers / "clang++").touch(0o755)
    monkeypatch.setenv("CXX", variable)
    with pytest.raises(ColorizeError) as refused:
        compile_network(make_task())
    assert f"compile=true needs a C++ compiler, and there is no {named}:" in str(refused.value)
