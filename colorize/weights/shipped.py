"""Trained weights that ship with the package, each a safetensors file with its card (a Markdown file) beside it."""

from pathlib import Path

FOLDER = Path(__file__).parent
DEFAULT = "photographs"


def shipped() -> dict[str, Path]:
    """The weights that ship, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.safetensors"))}
