"""Modules of the user's, by name."""

from typing import Any

import pytest

from colorize.errors import ColorizeError
from colorize.registry import explain_unknown, import_plugins


def test_one_plugin_needs_no_list() -> None:
    import_plugins("json")
    with pytest.raises(ColorizeError, match="plugins names no_such_module, but there is no such module"):
        import_plugins("no_such_module")


@pytest.mark.parametrize("name", ["mine.py", "folder/mine.py", "a-b", ".mine", "", 3.5, None, True])
def test_what_is_no_name_of_a_module_is_refused(name: Any) -> None:
    with pytest.raises(ColorizeError, match=r"which is no module: give it as Python imports it"):
        import_plugins([name])


@pytest.mark.parametrize("modules", [5, True])
def test_what_is_no_list_of_modules_is_refused(modules: Any) -> None:
    with pytest.raises(ColorizeError, match=rf"plugins names {modules}, which is no module"):
        import_plugins(modules)


def test_an_unknown_name_is_two_sentences_or_a_question_with_the_nearest() -> None:
    assert explain_unknown("model", "foo", ["lab", "rgb"]) == "model 'foo' is unknown. Known: lab, rgb."
    assert explain_unknown("model", "lb", ["lab", "rgb"]) == "model 'lb' is unknown: did you mean lab? Known: lab, rgb."


def test_none_is_no_plugin() -> None:
    import_plugins(None)
