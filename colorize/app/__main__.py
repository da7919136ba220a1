"""colorize-app [RUN_OR_SWEEP...], which is python -m colorize.app"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from colorize.app.limits import LIMITS, LOOPBACK, Limits
from colorize.app.server import serve
from colorize.errors import ColorizeError
from colorize.registry import import_plugins


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the page as the command line asks.

    Raises:
        SystemExit: 1 with a sentence for a mistake, 143 for SIGTERM.
    """
    options = _parser().parse_args(arguments)
    if options.host not in LOOPBACK:
        print(f"Whoever reaches {options.host} can use the page: it asks for no password.", file=sys.stderr)
    try:
        import_plugins(options.plugin)
        limits = Limits(**{field.name: getattr(options, f"max_{field.name}") for field in fields(Limits)})
        serve(options.folders, options.host, options.port, limits, options.device, options.precision)
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
    except ColorizeError as error:
        sys.exit(f"error: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="colorize-app",
        description="A web page that gives colour to photographs, and that shows runs and sweeps.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="RUN_OR_SWEEP", help="folders to look at")
    parser.add_argument("--host", default=LOOPBACK[0], help="address; 0.0.0.0 is reached from other machines")
    parser.add_argument("--port", type=int, default=7860, help="0: any that is free")
    parser.add_argument("--device", default="auto", help="of the network: cpu, cuda, cuda:1, mps")
    parser.add_argument("--precision", default="auto", help="of the network: 32, bf16, 16")
    parser.add_argument("--plugin", action="append", default=[], metavar="MODULE", help="module of a network of yours")
    for field in fields(Limits):
        kind = _count if field.type is int else _amount
        parser.add_argument(
            f"--max-{field.name}", type=kind, default=field.default, metavar="N", help=LIMITS[field.name]
        )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _amount(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


_count.__name__, _amount.__name__ = "whole number from 1", "number above 0"  # as argparse's sentence names them


if __name__ == "__main__":
    main()
