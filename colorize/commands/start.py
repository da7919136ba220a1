"""Where the commands begin: what needs no library is done before the seconds that importing them takes."""

import colorize.interrupt  # noqa: F401 # first: Ctrl-C ends the imports below without a traceback

# isort: split
import sys

from colorize.cli import launch, print_error, quote_paths
from colorize.commands.help import predict_help, train_help
from colorize.commands.words import overrides
from colorize.errors import ColorizeError

HELP = {"-h", "--help"}
COMPLETION = ("-sc", "--shell-completion")


def predict() -> None:
    """`colorize` and `python predict.py`: photographs in, pictures out."""
    if HELP & set(sys.argv[1:]):
        print(predict_help())
        return
    try:
        sys.argv[1:] = quote_paths(overrides(sys.argv[1:]))
    except ColorizeError as error:
        print_error(error, debug=False)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names need not be UTF-8
    from colorize.commands.predict import main

    launch(main, "predict")


def train() -> None:
    """`colorize-train` and `python train.py`: one training and its test, an evaluation, or a sweep of them."""
    if HELP & set(sys.argv[1:]):
        print(train_help())
        return
    from colorize.commands.train import main

    launch(main, "train")
