"""XMP packets and IPTC records: what people and programs wrote about a photograph.

Source: XMP specification, parts 1 and 3 (Adobe, 2012 and 2020); IPTC-NAA IIM 4.2, chapter 3.
"""

import re
import struct
from io import BytesIO
from typing import Any
from xml.parsers import expat

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from colorize.images.jpeg import APP13, segment
from colorize.images.pages import read_tag

_LONGEST = 2**24
_MOST_PREFIXES = 8  # the packet is searched for each
_TIFF, _EXIF, _PHOTOSHOP = (
    b"http://ns.adobe.com/tiff/1.0/",
    b"http://ns.adobe.com/exif/1.0/",
    b"http://ns.adobe.com/photoshop/1.0/",
)
_TIFF_IPTC = 33723
PHOTOSHOP_IPTC = 0x0404


def read_xmp(xmp: Any, *, is_converted: bool = False) -> bytes | None:
    """The packet for the upright photograph; None where it is damaged, not in UTF-8, longer than 16 MiB, or has more
    than eight prefixes for one namespace.

    Its orientation becomes 1. Where pixels were converted to sRGB, its colour space is sRGB.

    Args:
        xmp: what Pillow found in the file.
        is_converted: whether pixels were converted to sRGB.
    """
    packet = xmp.encode("latin-1", "replace") if isinstance(xmp, str) else xmp  # so Pillow reads text in a TIFF
    if not isinstance(packet, bytes) or len(packet) > _LONGEST:
        return None
    packet = packet.strip(b"\0 \t\r\n")
    if not _is_plain_xml(packet):
        return None
    values = [(_TIFF, b"Orientation", b"1")]
    if is_converted:
        values += [(_EXIF, b"ColorSpace", b"1"), (_PHOTOSHOP, b"ICCProfile", b"sRGB IEC61966-2.1")]
    for namespace, name, value in values:
        prefixes = _prefixes(packet, namespace)
        if len(prefixes) > _MOST_PREFIXES:
            return None
        packet = _with_value(packet, prefixes, name, value)
    return packet


def _is_plain_xml(packet: bytes) -> bool:
    """Well-formed UTF-8 without a document type, whose entities can grow without end."""

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = refuse
    try:
        packet.decode("utf-8")
        parser.Parse(packet, True)
    except (ValueError, expat.ExpatError):
        return False
    return True


def _prefixes(packet: bytes, namespace: bytes) -> set[bytes]:
    bound = rb"xmlns:([\w.-]+)\s*=\s*[\"']" + re.escape(namespace) + rb"[\"']"
    return {found.group(1) for found in re.finditer(bound, packet)}


def _with_value(packet: bytes, prefixes: set[bytes], name: bytes, value: bytes) -> bytes:
    """The packet with another value of a simple property, where it has one: an attribute or an element."""
    for prefix in prefixes:
        stated = rb"((?<=[<\s])" + re.escape(prefix + b":" + name) + rb"(?:\s*=\s*[\"']|\s*>))[^<\"']*"
        packet = re.sub(stated, rb"\g<1>" + value, packet)
    return packet


def read_iptc(image: Image.Image, data: bytes) -> bytes | None:
    """The IPTC records of a JPEG (in Photoshop's block) or TIFF; None where there are none or they are damaged.

    Args:
        image: the file, opened by Pillow.
        data: the same file's bytes.
    """
    try:
        if isinstance(image, TiffImageFile):  # Pillow gives the first four bytes where a program calls them LONGs
            records = read_tag(BytesIO(data), _TIFF_IPTC)
        else:
            records = image.info.get("photoshop", {}).get(PHOTOSHOP_IPTC)
        return _records(records) if records else None
    except Exception:  # a damaged block raises nearly anything
        return None


def _records(data: bytes) -> bytes | None:
    """The records without the zeros behind them; None where one is broken."""
    at = 0
    while data[at : at + 1] == b"\x1c":
        _, _, _, size = struct.unpack_from(">BBBH", data, at)
        at += 5
        if size & 0x8000:  # the size of the size
            width = size & 0x7FFF
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        at += size
    return data[:at] if 0 < at <= len(data) and not data[at:].strip(b"\0") else None


def iptc_segment(iptc: bytes) -> bytes:
    """JPEG's APP13 segment with the records in Photoshop's block; nothing where they are too long for one."""
    block = b"8BIM" + struct.pack(">HHI", PHOTOSHOP_IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
    return segment(APP13, b"Photoshop 3.0\0" + block)
