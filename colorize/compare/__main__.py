"""python -m colorize.compare RUN_OR_SWEEP..."""

from colorize.interrupt import stoppable  # first: Ctrl-C ends the imports below without a traceback

# isort: split
import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from colorize.cli.launch import escape_unprintable
from colorize.compare.comparison import compare
from colorize.errors import ColorizeError, first_line
from colorize.files import expand_home


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m colorize.compare", description="Compares finished runs.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_OR_SWEEP")
    parser.add_argument(
        "--output", type=expand_home, help="folder; the sweep's where one is given, else the current one"
    )
    options = parser.parse_args(arguments)
    escape_unprintable()
    output = options.output or (options.folders[0] if len(options.folders) == 1 else Path())
    try:
        compare(options.folders, output)
    except ColorizeError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: the comparison cannot be written into {output}: {first_line(error)}; give another --output.")
    print((output / "comparison.md").read_text(encoding="utf-8"), end="")
    print(f"{output / 'comparison.csv'}, .md and .png are written.")


if __name__ == "__main__":
    with stoppable():
        main()
