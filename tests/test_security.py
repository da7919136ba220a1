"""The page .github/SECURITY.md: what it says of the source holds, and the tests it names are there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from colorize.errors import ColorizeError
from colorize.networks import EncoderUNet
from colorize.networks.pretrained import load_encoder_weights
from tests.weights.test_checkpoint import Bomb

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")
SOURCES = [ROOT / "train.py", ROOT / "predict.py", *sorted((ROOT / "colorize").rglob("*.py"))]
NEVER = {"eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "torch.hub.load"}
NEVER_MODULES = {"pickle", "marshal", "shelve", "dill", "joblib", "subprocess", "tarfile"}
SAFE_ARGUMENT = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "trainer.fit": ("weights_only", True),
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Place, dotted name and node of each call in the package and its scripts."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.func), node


def test_nothing_unpickles_or_runs_what_it_reads() -> None:
    seen = set()
    for place, name, node in calls():
        assert name not in NEVER, place
        assert name.partition(".")[0] not in NEVER_MODULES, place
        assert not name.endswith(".extractall"), place
        if name in SAFE_ARGUMENT:
            argument, value = SAFE_ARGUMENT[name]
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert given.get(argument) == str(value), place
            seen.add(name)
    assert seen == set(SAFE_ARGUMENT)


def test_every_variable_of_the_environment_that_is_read_is_on_the_page() -> None:
    read = set()
    for path in [*SOURCES, *sorted((ROOT / "conf").rglob("*.yaml"))]:
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r"""(?:environ(?:\.get\(|\[)|getenv\()["'](\w+)["'](?!\]\s*=)|oc\.env:(\w+)""", text))
    names = {name for pair in read for name in pair if name}
    assert {"COLORIZE_CACHE", "WANDB_MODE", "LOCAL_RANK"} <= names
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"\b((?:\w+/)*test_\w+\.py)(?:::(\w+))?", PAGE)
    assert len(named) > 20
    for file, function in named:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in text, f"{file}::{function}"


def test_weights_of_an_encoder_are_data(tmp_path: Path) -> None:
    torch.save({"conv_stem.weight": Bomb(tmp_path / "was-run")}, tmp_path / "weights.pth")
    with pytest.raises(ColorizeError, match=r"weights\.pth cannot be read"):
        load_encoder_weights(EncoderUNet(1, 2), str(tmp_path / "weights.pth"))
    assert not (tmp_path / "was-run").exists()
