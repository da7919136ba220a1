"""How much one visitor of the page may ask for."""

from dataclasses import dataclass

MOST_SAMPLES = 4
PREVIEW_SIDE = 2048
"""The longer side, in pixels, of what the page shows; files are of full size."""


@dataclass(frozen=True)
class Limits:
    """What is refused, each with a sentence that says so.

    Attributes:
        megabytes: of one file that is sent to the page.
        megapixels: of one photograph, by its header, before it is decoded.
        files: photographs at once.
        seconds: of one request; it is looked at between two photographs and two pages of one.
        gigabytes: of all files that are kept for open pages.
    """

    megabytes: float = 200
    megapixels: float = 100
    files: int = 100
    seconds: float = 600
    gigabytes: float = 8
