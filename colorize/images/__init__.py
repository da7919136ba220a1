"""Reading and writing photographs: orientation, profiles, transparency, 16 bit, atomic writes."""

from colorize.images.find import EXTENSIONS, find_photographs
from colorize.images.photograph import Photograph, Pixels
from colorize.images.read import READABLE_FORMATS, read_photograph, read_rgb
from colorize.images.write import WRITABLE, write_photograph

__all__ = [
    "EXTENSIONS",
    "READABLE_FORMATS",
    "WRITABLE",
    "Photograph",
    "Pixels",
    "find_photographs",
    "read_photograph",
    "read_rgb",
    "write_photograph",
]
