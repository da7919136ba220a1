"""Objects from plain configuration: a name, looked up among known ones, and keyword arguments."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from colorize.errors import ColorizeError

T = TypeVar("T")


def unknown(what: str, name: object, known: list[str]) -> str:
    """The sentence for a name that is not among the known ones, with the nearest of them when one is near."""
    near = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{what} {name!r} is unknown: {hint}Known: {', '.join(known)}."


def build(key: str, known: Mapping[str, Callable[..., T]], spec: Mapping[str, Any], *args: Any, **fixed: Any) -> T:
    """Call `known[spec["name"]](*args, **fixed, **rest_of_spec)`.

    Names come from our own tables and arguments are plain values, so a specification read from a stranger's
    checkpoint can build nothing but our own objects.

    Raises:
        ColorizeError: no or an unknown name, an argument that the object does not take or refuses; `key` says where.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise ColorizeError(f"{key} must be a mapping with a name, but is {spec!r}.")
    options = {str(option): value for option, value in spec.items() if option != "name"}
    make = known.get(spec["name"])
    if make is None:
        raise ColorizeError(unknown(f"{key}.name", spec["name"], sorted(known)))
    try:
        inspect.signature(make).bind(*args, **fixed, **options)
    except TypeError as error:
        raise ColorizeError(f"{key}: {spec['name']} cannot be built: {error}.") from error
    try:
        return make(*args, **fixed, **options)
    except (ValueError, TypeError) as error:
        raise ColorizeError(f"{key}: {spec['name']} cannot be built: {error}.") from error
