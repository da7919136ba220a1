"""Objects from plain configuration: a name, looked up among imported classes, and keyword arguments."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from colorize.errors import ColorizeError

T = TypeVar("T")


def explain_unknown(what: str, name: object, known: list[str]) -> str:
    """The sentence for a name that is not among the known ones, with the nearest of them when one is near."""
    hint = did_you_mean(name, known)
    return f"{what} {name!r} is unknown{f': {hint}' if hint else '. '}Known: {', '.join(known)}."


def did_you_mean(name: object, known: Sequence[str]) -> str:
    """The question for the nearest of the known names, with a space after it; empty when none is near."""
    near = get_close_matches(str(name), known, n=1)
    return f"did you mean {near[0]}? " if near else ""


def imported_subclasses(base: type[T]) -> dict[str, type[T]]:
    """The concrete classes that derive from `base` and are imported, by name.

    A class of your own is found once its module is imported (`plugins=[MODULE]`), and a name that a stranger's file
    gives can reach nothing else.

    Raises:
        ColorizeError: two modules have a class of one name.
    """
    known: dict[str, type[T]] = {}
    for subclass in _descendants(base):
        other = known.setdefault(subclass.__name__, subclass)
        if other.__module__ != subclass.__module__:
            raise ColorizeError(
                f"Two classes are called {subclass.__name__}, in {other.__module__} and {subclass.__module__}: "
                "rename one of them."
            )
        known[subclass.__name__] = subclass  # defined once more, as a notebook's cell is: the latest
    return known


def _descendants(base: type[T]) -> Iterable[type[T]]:
    for subclass in base.__subclasses__():
        if not inspect.isabstract(subclass) and not subclass.__name__.startswith("_"):
            yield subclass
        yield from _descendants(subclass)


def import_plugins(modules: str | Iterable[str] | None) -> None:
    """Import modules of the user's, whose networks, targets, tasks and losses are then known by name.

    They are looked for in the current folder too, last: no file that lies there takes the place of a library.

    Raises:
        ColorizeError: there is no such module, or that is no name of one.
    """
    if modules is None:
        return
    for name in modules if isinstance(modules, Iterable) and not isinstance(modules, str) else [modules]:
        if not _names_module(name):
            raise ColorizeError(
                f"plugins names {name}, which is no module: give it as Python imports it, [mine] for mine.py."
            )
        if str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise ColorizeError(
                f"plugins names {name}, but there is no such module: put {name.replace('.', '/')}.py into the "
                "current folder or into one of PYTHONPATH."
            ) from error


def _names_module(name: object) -> bool:
    """Whether it is a name as Python imports it, a.b.c, and not that of a file."""
    return isinstance(name, str) and not name.endswith(".py") and all(part.isidentifier() for part in name.split("."))


def build(key: str, known: Mapping[str, Callable[..., T]], spec: Mapping[str, Any], *args: Any) -> T:
    """Call `known[spec["name"]](*args, **rest_of_spec)`.

    Names come from tables of classes and arguments are plain values, so a specification read from a stranger's
    checkpoint can build nothing but what is known already.

    Raises:
        ColorizeError: no or an unknown name, an argument that the object does not take or refuses; `key` says where.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise ColorizeError(f"{key} must be a mapping with a name, but is {spec!r}.")
    options = {str(option): value for option, value in spec.items() if option != "name"}
    make = known.get(spec["name"])
    if make is None:
        raise ColorizeError(explain_unknown(f"{key}.name", spec["name"], sorted(known)))
    signature = inspect.signature(make)
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        unknown = [option for option in options if option not in signature.parameters]
        without = f"; ~{key}.{unknown[0]} takes it out" if unknown and key.startswith("model.") else ""
        raise ColorizeError(f"{key}: {spec['name']} cannot be built: {error}{without}.") from error
    try:
        return make(*args, **options)
    except (ValueError, TypeError) as error:
        raise ColorizeError(f"{key}: {spec['name']} cannot be built: {error}.") from error
