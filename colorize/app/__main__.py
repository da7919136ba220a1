"""colorize-app [RUN_OR_SWEEP...], which is python -m colorize.app"""

import argparse
import sys
from collections.abc import Sequence

from colorize.app.limits import Limits
from colorize.app.server import serve
from colorize.errors import ColorizeError


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="colorize-app", description="Gives colour to photographs in a web page.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    options = parser.parse_args(arguments)
    try:
        serve(options.host, options.port, Limits())
    except ColorizeError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
