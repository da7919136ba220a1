"""compile=true: the same network under the same names, or one sentence."""

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


@pytest.mark.parametrize("compiler", ["g++", "clang++", "c++"])
def test_one_compiler_is_enough(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: name if name == compiler else None)
    compile_network(make_task())


@pytest.mark.parametrize(("variable", "named"), [("", "g++ or clang++ or c++"), ("/no/compiler", "/no/compiler")])
def test_without_a_compiler_it_says_so(
    variable: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", variable)
    with pytest.raises(ColorizeError) as refused:
        compile_network(make_task())
    assert f"compile=true needs a C++ compiler, and there is no {named}:" in str(refused.value)
