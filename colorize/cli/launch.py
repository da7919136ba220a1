"""How the scripts begin and end: a mistake with one sentence, a fault of ours with its traceback."""

import functools
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn, TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import BooleanNode, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize import interrupt
from colorize.cli.config import CONFIG_DIR, in_multirun
from colorize.cli.quoting import expand_home
from colorize.cli.sentences import is_mistake, sentence
from colorize.errors import ColorizeError

T = TypeVar("T")
NOISE = (
    r".*LeafSpec.* is deprecated",  # Lightning's use of torch
    r"The number of training batches .* is smaller than the logging interval",  # the epoch's mean is logged anyway
    r".*does not have many workers",  # batches come from memory, workers would only slow them
)
NO_TRIAL = ("No trials are completed yet.", "Record does not exist.")  # Optuna, asked for the best of none


def launch(main: Callable[[], None], config: str) -> None:
    """Call the `hydra.main` function of `conf/CONFIG.yaml`; mistakes found while that is composed end here.

    Raises:
        SystemExit: 1 for a mistake, 130 for Ctrl-C.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them itself
    sys.argv[1:] = [expand_home(word) for word in sys.argv[1:]]
    escape_unprintable()
    try:
        with interrupt.stoppable():  # Lightning makes an exit with code 1 of a Ctrl-C
            main()
    except Exception as error:
        if isinstance(error, ValueError) and (words := _in_other_words(str(error))):
            error = ColorizeError(words)
        if not is_mistake(error):
            raise
        print_error(error, _debug_in(sys.argv[1:]), config)


def explain_mistakes(job: Callable[[DictConfig], T]) -> Callable[[DictConfig], T]:
    """Decorates a job: a mistake ends the process with its sentence; in a multirun it is raised."""

    @functools.wraps(job)
    def wrapped(cfg: DictConfig) -> T:
        interrupt.restore()
        escape_unprintable()
        for message in NOISE:  # here, since a launcher's processes begin here
            warnings.filterwarnings("ignore", message)
        try:
            return job(cfg)
        except Exception as error:
            if not is_mistake(error) or in_multirun():
                raise
            print_error(error, _is_true(cfg.debug))

    return wrapped


def escape_unprintable() -> None:
    """Print escapes for what the encoding of stdout does not have: names of files may hold anything."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def print_error(error: Exception, debug: bool, config: str = "train") -> NoReturn:
    """Print the sentence of a mistake, or with `debug` its traceback, and end the process with exit code 1."""
    if debug:
        traceback.print_exception(error)
    else:
        sys.stderr.write(f"error: {sentence(error, config)}\n")
    raise SystemExit(1) from None


def _in_other_words(message: str) -> str | None:
    """The sentence for a message of Hydra or Optuna that helps nobody; None for any other."""
    if message in NO_TRIAL:
        return "No trial of this study has a result yet: every one failed, for the reasons above."
    if message.startswith("Config group override must be"):
        return _no_choice()
    if message.startswith("Expecting one subcommand"):
        return "-sc needs install=SHELL, uninstall=SHELL or query=SHELL, where SHELL is bash, zsh or fish."
    return None


def _no_choice() -> str:
    """The sentence for GROUP=null or GROUP=1, of which Hydra says neither the group nor the remedy."""
    groups = [override for override in _overrides_in(sys.argv[1:]) if (CONFIG_DIR / override.key_or_group).is_dir()]
    words = [override.input_line for override in groups if not isinstance(override.value(), (str, list))]
    word = words[0] if words else "A group of null"
    return f"{word} chooses nothing, but a group of the configuration needs a choice: leave it out, or give a name."


def _debug_in(words: list[str]) -> bool:
    """What the command line says of `debug`, also when no configuration could be composed of it."""
    values = [override.value() for override in _overrides_in(words) if override.key_or_group == "debug"]
    return bool(values) and _is_true(values[-1])


def _overrides_in(words: list[str]) -> Iterator[Override]:
    """The overrides of one value each."""
    for word in words:
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException:  # a flag, or the mistake itself
            continue
        if not override.is_delete() and not override.is_sweep_override():
            yield override


def _is_true(value: object) -> bool:
    try:
        return OmegaConf.create({"debug": BooleanNode(value)}).debug is True
    except OmegaConfBaseException:
        return False
