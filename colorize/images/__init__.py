"""Reading and writing photographs: orientation, profiles, transparency, 16 bit, atomic writes."""

from colorize.images.find import EXTENSIONS, find_photographs
from colorize.images.header import READABLE_FORMATS, Header, read_header, read_upright_size
from colorize.images.photograph import Photograph, Pixels, Planes
from colorize.images.read import read_photograph, read_rgb
from colorize.images.write import WRITABLE, takes_planes, write_pages, write_photograph

__all__ = [
    "EXTENSIONS",
    "READABLE_FORMATS",
    "WRITABLE",
    "Header",
    "Photograph",
    "Pixels",
    "Planes",
    "find_photographs",
    "read_header",
    "read_photograph",
    "read_rgb",
    "read_upright_size",
    "takes_planes",
    "write_pages",
    "write_photograph",
]
