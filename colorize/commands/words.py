"""Plain options as Hydra's overrides: `photo.jpg -o out --no-tta` is `input=photo.jpg output=out tta=false`."""

import os
import re
from argparse import Action
from collections.abc import Container, Sequence

from hydra._internal.utils import get_args_parser

from colorize import program
from colorize.commands.keys import Key, keys_of
from colorize.errors import ColorizeError
from colorize.registry import did_you_mean

_OVERRIDE = re.compile(r"[+~]*(?P<group>[A-Za-z_]\w*)[\w./@]*=.*", re.DOTALL)


def overrides(words: Sequence[str]) -> list[str]:
    """Overrides of conf/predict.yaml for command line words: options, overrides, flags of Hydra's, one photograph.

    After `--` each word is a photograph.

    Raises:
        ColorizeError: an unknown option, one without its value, several photographs.
    """
    keys = keys_of("predict")
    options = {name: key for key in keys for name in (key.option, f"--{key.name}")}
    switches = {name: f"{key.name}=true" for name, key in options.items() if key.is_switch}
    switches |= {f"--no-{name[2:]}": f"{options[name].name}=false" for name in switches}
    options["-o"] = options["--output"]
    of_hydra = get_args_parser()._option_string_actions
    no_values = {*options, *of_hydra, "--"}
    left, result, photographs = list(words), [], []
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        option = _spelled(name)
        if word == "--":
            photographs += left
            break
        if option in switches and not equals:
            result.append(switches[option])
        elif option in options:
            key = options[option]
            if not equals and (not left or _is_option(left[0], no_values)):
                raise ColorizeError(f"{name} needs a value: {name} VALUE ({key.comment}).")
            result.append(_override(key, value if equals else left.pop(0)))
        elif name in of_hydra:
            result.append(word)
            if not equals and _takes_a_value(of_hydra[name], left):
                result.append(left.pop(0))
        elif word.startswith("-") and not _is_there(word):
            hint = did_you_mean(name, list(options))
            raise ColorizeError(f"{name} is no option: {hint}{program.command()} --help lists them.")
        elif _is_override(word, keys):
            result.append(word)
        else:
            photographs.append(word)
    _check_one_input(photographs, result)
    return [f"input={photograph}" for photograph in photographs] + result


def flags_first(words: Sequence[str]) -> list[str]:
    """Command line words with Hydra's flags before the overrides, since its parser takes these only side by side."""
    of_hydra = get_args_parser()._option_string_actions
    left, flags, others = list(words), [], []
    while left:
        word = left.pop(0)
        name, equals, _ = word.partition("=")
        if name not in of_hydra:
            others.append(word)
            continue
        flags.append(word)
        if not equals and _takes_a_value(of_hydra[name], left):
            flags.append(left.pop(0))
    return flags + others


def _check_one_input(photographs: Sequence[str], words: Sequence[str]) -> None:
    """Raise a ColorizeError where a photograph is given beside another one or beside an override of `input`."""
    inputs = [*photographs, *(word.removeprefix("input=") for word in words if word.startswith("input="))]
    if photographs and len(inputs) > 1:
        raise ColorizeError(
            f"{inputs[0]} and {inputs[1]} are given, but one word says which photographs: give their folder, "
            f"or a pattern in quotes: {program.command()} '*.jpg' -o FOLDER."
        )


def _takes_a_value(flag: Action, left: Sequence[str]) -> bool:
    """Whether the next of the words that are left is the value of one of Hydra's flags."""
    if not left or flag.nargs == 0:
        return False
    looks_like_one = re.fullmatch(r"\w[\w-]*", left[0]) is not None and not _is_there(left[0])
    return flag.nargs is None or looks_like_one


def _spelled(name: str) -> str:
    """An option as the table has it: --keep_color is --keep-color."""
    return name.replace("_", "-") if name.startswith("--") and "." not in name else name


def _is_option(word: str, options: Container[str]) -> bool:
    return _spelled(word.partition("=")[0].replace("--no-", "--")) in options


def _override(key: Key, value: str) -> str:
    if key.is_list and not value.startswith("["):
        value = f"[{value}]"
    return f"{key.name}={value}"


def _is_override(word: str, keys: Sequence[Key]) -> bool:
    """Whether a word is KEY=VALUE, and no photograph whose name holds a = ."""
    found = _OVERRIDE.fullmatch(word)
    known = {key.name.partition(".")[0] for key in keys} | {"hydra"}
    return found is not None and (found["group"] in known or not _is_there(word))


def _is_there(word: str) -> bool:
    return os.path.exists(word)  # noqa: PTH110 # Path.exists raises on a name that is too long
