"""Imports go one way: each room may import only those it stands on, and inference needs no Lightning."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import colorize

PACKAGE = Path(colorize.__file__).parent
FOUNDATION = {"errors", "files", "registry"}
INFERENCE = FOUNDATION | {"color", "hub", "images", "networks", "targets", "weights", "inference"}
STANDS_ON = {
    "cores": set(),
    "errors": set(),
    "files": set(),
    "interrupt": set(),
    "program": set(),
    "progress": set(),
    "registry": {"errors"},
    "color": {"errors"},
    "images": {"errors", "files"},
    "scenery": {"errors"},
    "networks": FOUNDATION,
    "targets": FOUNDATION | {"color", "networks"},
    "weights": FOUNDATION | {"color", "hub", "networks", "targets"},
    "hub": {"errors", "images", "scenery"},
    "inference": INFERENCE - {"inference"},
    "album": INFERENCE | {"cores", "progress"},
    "app": INFERENCE | {"album", "compare"},
    "film": INFERENCE | {"album", "progress"},
    "cli": FOUNDATION | {"interrupt", "program"},
    "metrics": FOUNDATION | {"color"},
    "tasks": FOUNDATION | {"color", "metrics", "networks", "targets"},
    "data": FOUNDATION | {"cores", "images", "interrupt", "progress", "scenery"},
    "training": INFERENCE | {"cli", "data", "metrics", "program", "progress", "tasks"},
    "compare": {"cli", "errors", "files", "interrupt"},
    "export": INFERENCE | {"cli", "interrupt", "scenery"},
    "commands": INFERENCE | {"album", "cli", "compare", "film", "interrupt", "program", "training"},
}
WITH_LIGHTNING = "colorize.album.fabric"  # which only an album on several devices imports, in a function
WITHOUT_LIGHTNING = sorted(INFERENCE | {"album", "app", "cli", "compare", "export", "film", "scenery"})


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(node: ast.AST, everywhere: bool) -> Iterator[str]:
    """The modules that a file imports: when it is imported itself, or `everywhere`, in its functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            assert child.module is not None
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif everywhere or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(child, everywhere)


FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if file.parent != PACKAGE or file.name != "__init__.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_what_its_room_stands_on(file: Path) -> None:
    own = room_of(file)
    found = {name.split(".")[1] for name in imports(ast.parse(file.read_text()), True) if name.startswith("colorize.")}
    assert found - {own} <= STANDS_ON[own]


def test_no_file_is_long() -> None:
    assert [file.name for file in FILES if len(file.read_text().splitlines()) > 250] == []


def test_no_room_stands_on_itself_by_way_of_others() -> None:
    def below(room: str, path: tuple[str, ...]) -> None:
        assert room not in path, " -> ".join((*path, room))
        for other in STANDS_ON[room]:
            below(other, (*path, room))

    for room in STANDS_ON:
        below(room, ())


def test_no_file_stands_on_itself_by_way_of_others() -> None:
    modules = {".".join(("colorize", *file.relative_to(PACKAGE).with_suffix("").parts)): file for file in FILES}
    needs = {
        module: {
            other
            for name in imports(ast.parse(file.read_text()), True)
            for other in (name, name.rpartition(".")[0])
            if other in modules and other != module
        }
        for module, file in modules.items()
    }
    TopologicalSorter(needs).prepare()  # which names a circle


@pytest.mark.parametrize("room", WITHOUT_LIGHTNING)
def test_inference_and_what_it_stands_on_import_no_lightning(room: str) -> None:
    files = [file for file in FILES if room_of(file) == room and file != PACKAGE / "album/fabric.py"]
    names = {name for file in files for name in imports(ast.parse(file.read_text()), False)}
    assert files
    lightning = ("pytorch_lightning", "lightning_fabric", "torchmetrics")
    assert not [name for name in names if name.startswith(WITH_LIGHTNING) or name.split(".")[0] in lightning]


def test_nothing_imports_an_extra_before_it_is_asked_for() -> None:
    extras = ("onnx", "onnxruntime", "onnxscript", "huggingface_hub")
    names = {name for file in FILES for name in imports(ast.parse(file.read_text()), False)}
    assert not [name for name in names if name.split(".")[0] in extras]


@pytest.mark.parametrize("room", ["images", "scenery", "hub", "errors", "files", "registry", "cli", "program"])
def test_photographs_as_files_need_no_torch(room: str) -> None:
    files = [file for file in FILES if room_of(file) == room]
    names = {name for file in files for name in imports(ast.parse(file.read_text()), True)}
    assert files
    assert not [name for name in names if name.split(".")[0] == "torch"]
