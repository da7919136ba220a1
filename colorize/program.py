"""The command that the user ran, as messages name it."""

import shlex
import shutil
import sys
from pathlib import Path

INSTALLED = {"predict": "colorize", "train": "colorize-train"}


def command() -> str:
    """The words before the arguments of this process: `colorize-train`, or `python train.py`."""
    path = Path(sys.argv[0])
    if path.suffix == ".py":
        return f"python {shlex.quote(sys.argv[0])}"
    found = shutil.which(path.name)
    return path.name if found and path.exists() and Path(found).samefile(path) else shlex.quote(sys.argv[0])


def is_script() -> bool:
    """Whether it is a script of the repository, and not an installed command."""
    return Path(sys.argv[0]).name in {f"{name}.py" for name in INSTALLED}


def other(name: str) -> str:
    """`command()` of the other one, `predict` or `train`: both are installed, or scripts beside each other."""
    path = Path(sys.argv[0])
    if is_script():
        return f"python {shlex.quote(str(path.with_name(f'{name}.py')))}"
    beside = path.with_name(INSTALLED[name])
    on_path = shutil.which(INSTALLED[name])
    if on_path is None and beside.is_file():
        return shlex.quote(str(beside))
    return INSTALLED[name]
