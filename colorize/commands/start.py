"""Where the commands begin: what needs no library is done before the seconds that importing them takes."""

import colorize.interrupt  # noqa: F401 # first: Ctrl-C ends the imports below without a traceback

# isort: split
import os
import sys
from collections.abc import Callable
from importlib.metadata import version

import hydra
from omegaconf import DictConfig

from colorize.cli.config import CONFIG_DIR
from colorize.cli.launch import launch, print_error
from colorize.cli.quoting import quote_paths
from colorize.commands.help import predict_help, train_help
from colorize.commands.words import flags_first, overrides
from colorize.errors import ColorizeError

HELP = {"-h", "--help"}
VERSION = "--version"
SHOWS = {"-sc", "--shell-completion", "-c", "--cfg", "-i", "--info", "--hydra-help"}  # flags of Hydra that run no job


def predict() -> None:
    """`colorize` and `python predict.py`: photographs in, pictures out."""
    if _print_help_or_version(predict_help):
        return
    try:
        sys.argv[1:] = flags_first(quote_paths(overrides(sys.argv[1:])))
    except ColorizeError as error:
        print_error(error, debug=False)
    from colorize.commands.predict import main

    launch(main, "predict")


def train() -> None:
    """`colorize-train` and `python train.py`: one training and its test, an evaluation, or a sweep of them."""
    if _print_help_or_version(train_help):
        return
    sys.argv[1:] = flags_first(sys.argv[1:])
    if SHOWS & {word.partition("=")[0] for word in sys.argv[1:]}:
        import colorize.training.folder  # noqa: F401 # registers `run_name`, a resolver of conf/

        launch(hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="train")(_nothing), "train")
        return
    from colorize.commands.train import main

    launch(main, "train")


def _print_help_or_version(help_text: Callable[[], str]) -> bool:
    """Print what the command line asks for; whether it asks for either. (Hydra's --version is that of Hydra.)"""
    words = set(sys.argv[1:])
    if HELP & words:
        _show(help_text())
    elif VERSION in words:
        _show(f"colorize {version('colorize')}")
    else:
        return False
    return True


def _show(text: str) -> None:
    """Print what may be piped into `head`, which closes the pipe."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nothing(cfg: DictConfig) -> None:
    """The job where there is none to run: importing the real one takes seconds."""
