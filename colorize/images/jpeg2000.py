"""What a JP2 file holds beside its codestream, which Pillow does not read: profile, EXIF, XMP and IPTC.

Source: ISO/IEC 15444-1, annex I; XMP specification, part 3 (Adobe, 2020), 1.1.4; and, as Exiv2 and ExifTool write them,
the UUIDs of EXIF and IPTC.
"""

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from colorize.images.descriptions import PHOTOSHOP_IPTC

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_EXIF = b"JpgTiffExif->JP2"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC = bytes.fromhex("33c7a4d2b81d47238ba0f1a3e097ad38")
_RESTRICTED, _ANY = 2, 3  # methods of a colour specification that is a profile
_LONGEST = 2**24  # of what is read into memory


def jp2_info(file: BinaryIO) -> dict[str, Any]:
    """`icc_profile`, `exif`, `xmp` and `photoshop`, where they are there: as Pillow's `info` has them of a JPEG.

    Nothing of a bare codestream. What follows a damaged box is not looked for.
    """
    found: dict[str, Any] = {}
    file.seek(0)
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return found
    end = file.seek(0, 2)
    for kind, start, stop in _boxes(file, 0, end):
        if kind == b"jp2h":
            for inner, first, last in _boxes(file, start, stop):
                content = _content(file, first, last)
                if inner == b"colr" and content[:1] in (bytes([_RESTRICTED]), bytes([_ANY])):
                    found.setdefault("icc_profile", content[3:])
        elif kind == b"uuid":
            content = _content(file, start, stop)
            uuid, content = content[:16], content[16:]
            if uuid == _EXIF:
                found.setdefault("exif", content)
            elif uuid == _XMP:
                found.setdefault("xmp", content)
            elif uuid == _IPTC:
                found.setdefault("photoshop", {PHOTOSHOP_IPTC: content})
    return found


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The type of each box from `start` to `end`, and where its content begins and ends."""
    while start + 8 <= end:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if length == 1 and content + 8 <= end:
            (length,) = struct.unpack(">Q", file.read(8))
            content += 8
        stop = end if length == 0 else start + length
        if not content <= stop <= end:
            return
        yield kind, content, stop
        start = stop


def _content(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start) if stop - start <= _LONGEST else b""
