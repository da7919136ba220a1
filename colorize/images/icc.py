"""ICC profiles as files: reading their tags, and the small ones that are written.

Source: ICC.1:2010 (profile version 4.3), sections 7 (layout) and 10.18 (parametric curves).
"""

import struct
from functools import cache

from PIL import ImageCms

_D50 = struct.pack(">iii", 63190, 65536, 54061)


def read_tags(profile: bytes) -> dict[bytes, bytes]:
    """The content of each tag by its signature.

    Raises:
        struct.error: the profile is cut short.
    """
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(min(count, 1000))]
    return {name: profile[offset : offset + size] for name, offset, size in entries}


@cache
def srgb_profile() -> bytes:
    """littleCMS's sRGB profile, about 600 bytes; without its date, so that equal pictures are equal files."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def gray_profile(gamma: float | None = None) -> bytes:
    """A small gray profile: sRGB's tone curve, or a plain gamma."""
    if gamma is None:  # IEC 61966-2-1, as a parametric curve of type 3
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return gray_profile_of(b"para" + struct.pack(">IHH5i", 0, 3, 0, *(round(number * 65536) for number in numbers)))
    return gray_profile_of(b"para" + struct.pack(">IHHi", 0, 0, 0, round(gamma * 65536)))


def gray_profile_of(curve: bytes) -> bytes:
    """A gray profile with the content of a curve's tag, as `read_tags` gives it, for its tone curve."""
    text = b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", 8, 28) + "gray".encode("utf-16-be")
    tags = {b"desc": text, b"cprt": text, b"wtpt": b"XYZ " + bytes(4) + _D50, b"kTRC": curve}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", offset + len(body), b"", 0x04300000) + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    return (header + bytes(28) + _D50).ljust(128, b"\0") + table + body
