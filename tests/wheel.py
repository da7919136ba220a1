"""The package as its users install it: a wheel, alone in an environment."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]


def copy_source(folder: Path) -> Path:
    """What a wheel is built of, without what lies around in a checkout."""
    for name in ("colorize", "conf"):
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / name, folder)
    return folder


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a new folder, offline."""
    source = copy_source(folder / "source")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    run([sys.executable, "-m", "pip", "wheel", *options, source])
    (wheel,) = folder.glob("colorize-*.whl")
    return wheel


def bare_environment(folder: Path, wheel: Path, without: tuple[str, ...]) -> Path:
    """The bin folder of a virtual environment with the wheel, the libraries of this one, and none of `without`."""
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    run([sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-deps", wheel])
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # whose own .pth files are not read
    (site / "sitecustomize.py").write_text(f"import sys\nsys.modules |= dict.fromkeys({without!r})\n")
    return folder / "bin"


def run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=600)
