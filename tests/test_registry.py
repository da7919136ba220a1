"""Modules of the user's, by name."""

import pytest

from colorize.errors import ColorizeError
from colorize.registry import import_plugins


def test_one_plugin_needs_no_list() -> None:
    import_plugins("json")
    with pytest.raises(ColorizeError, match="plugins names no_such_module, but there is no such module"):
        import_plugins("no_such_module")
