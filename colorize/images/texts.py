"""What people and programs wrote into the comment of a JPEG or GIF and into the texts of a PNG.

Source: ITU-T T.81, B.2.4.5; PNG, third edition, 11.3.3.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from colorize.images import jpeg

COMMENT = "Comment"
_OTHERS = ("XML:com.adobe.xmp", "Raw profile type ")  # XMP, and EXIF, IPTC or profiles as ImageMagick writes them
_LONGEST_KEYWORD = 79


def read_texts(image: Image.Image) -> dict[str, str]:
    """The texts of a PNG by their keywords; the comment of a JPEG or GIF by the keyword "Comment".

    Bytes of a comment that are no UTF-8 become surrogates, as `comment_segment` expects them.
    """
    if isinstance(image, PngImageFile):
        return {
            key: value
            for key, value in image.text.items()
            if 0 < len(key) <= _LONGEST_KEYWORD and not key.startswith(_OTHERS) and "\0" not in value
        }
    comment = image.info.get("comment")
    return {COMMENT: comment.decode("utf-8", "surrogateescape")} if isinstance(comment, bytes) and comment else {}


def load_png(image: PngImageFile) -> None:
    """Decode it, without the texts among what Pillow says of it: one called "gamma" is no gamma."""
    _drop_texts(image.info)
    image.load()
    _drop_texts(image.info)  # those behind the pixels


def _drop_texts(info: dict[str | tuple[int, int], Any]) -> None:
    """Remove all but EXIF as ImageMagick writes it, which Pillow reads from there."""
    for key in [key for key, value in info.items() if isinstance(value, str) and not str(key).startswith(_OTHERS)]:
        del info[key]


def comment_segment(texts: Mapping[str, str]) -> bytes:
    """The segment of a JPEG that holds the comment; nothing without one, or with one longer than a segment.

    (Pillow's own `comment` fails on small pictures, as it leaves no room for it in its buffer.)
    """
    comment = texts.get(COMMENT, "").encode("utf-8", "surrogateescape")
    return jpeg.segment(jpeg.COMMENT, comment) if comment else b""


def png_texts(texts: Mapping[str, str]) -> Iterator[bytes]:
    """The contents of the iTXt chunks; a comment that is no UTF-8 is taken for Latin-1."""
    for keyword, text in texts.items():
        raw = text.encode("utf-8", "surrogateescape")
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raw = raw.decode("latin-1").encode("utf-8")
        yield keyword.encode("latin-1") + bytes(5) + raw.replace(b"\0", b" ")
