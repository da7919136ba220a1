"""Modules of the user's, by name."""

from typing import Any

import pytest

from colorize.errors import ColorizeError
from colorize.registry import import_plugins


def test_one_plugin_needs_no_list() -> None:
    import_plugins("json")
    with pytest.raises(ColorizeError, match="plugins names no_such_module, but there is no such module"):
        import_plugins("no_such_module")


@pytest.mark.parametrize("name", ["mine.py", "folder/mine.py", "a-b", ".mine", "", 3.5])
def test_what_is_no_name_of_a_module_is_refused(name: Any) -> None:
    with pytest.raises(ColorizeError, match=r"which is no module: give it as Python imports it"):
        import_plugins([name])


def test_none_is_no_plugin() -> None:
    import_plugins(None)
