"""Words of the command line as Hydra's grammar of overrides wants them."""

import os
import re

PATH_KEYS = ("input", "output", "checkpoint")
_KEY_AND_HOME = re.compile(r"([\w./@+]+)=(~[^,'\"=()\[\]{}]*)")


def expand_home(word: str) -> str:
    """A command line word KEY=~/PATH as KEY='/HOME/PATH', since Hydra's grammar has no ~; any other as it is."""
    found = _KEY_AND_HOME.fullmatch(word)
    return f"{found[1]}={quote(os.path.expanduser(found[2]))}" if found else word  # noqa: PTH111 # of anyone or no one


def quote_paths(words: list[str]) -> list[str]:
    """Command line words in which the paths of conf/predict.yaml are quoted for Hydra.

    Its grammar gives = , ( [ { and spaces a meaning. What is quoted already, null, and the sweeps of -m stay as they
    are.
    """
    if {"-m", "--multirun"} & set(words):
        return words
    return [_with_quoted_value(word) if word.partition("=")[0] in PATH_KEYS else word for word in words]


def _with_quoted_value(word: str) -> str:
    key, _, value = word.partition("=")
    if value in ("", "null") or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\""):
        return word
    return f"{key}={quote(value)}"


def quote_if_needed(text: str) -> str:
    """A path as Hydra's grammar writes it, in quotes only where letters beyond ASCII or signs make them necessary."""
    return text if re.fullmatch(r"[\w./:-]+", text, re.ASCII) else quote(text)


def quote(text: str) -> str:
    """A string that may hold anything, as the grammars of Hydra and OmegaConf write it."""
    text = re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + r"\${", text)
    return "'" + re.sub(r"(\\*)('|\Z)", lambda found: 2 * found[1] + (found[2] and r"\'"), text) + "'"
