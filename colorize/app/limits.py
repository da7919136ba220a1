"""How much the visitors of the page may ask for."""

from dataclasses import dataclass

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""

MOST_SAMPLES = 4
"""Other colourings of one photograph."""

LIMITS = {
    "megabytes": "of one file that is sent",
    "megapixels": "of one photograph, by its header",
    "files": "photographs at once",
    "seconds": "of one request, counted between photographs and pages",
    "gigabytes": "of all files of all visitors",
}


@dataclass(frozen=True)
class Limits:
    """What is more is refused with a sentence; see `LIMITS`."""

    megabytes: float = 200
    megapixels: float = 100
    files: int = 100
    seconds: float = 600
    gigabytes: float = 8
