"""Train, compare and use image-colorization autoencoders."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorize.inference.colorizer import Colorizer

__all__ = ["Colorizer"]


def __getattr__(name: str) -> Any:
    """`Colorizer`, imported when it is asked for: it brings torch, which `colorize.cli` does not need."""
    if name == "Colorizer":
        from colorize.inference.colorizer import Colorizer

        return Colorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
