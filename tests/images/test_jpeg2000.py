"""JPEG 2000: pixels, and what a JP2 file holds beside its codestream."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.errors import ImageError
from colorize.images import read_header, read_photograph, write_photograph
from tests.images.fuzz import IPTC, RGB, RGBA, XMP
from tests.images.rgb_profiles import SPACES

UUIDS = {
    "exif": b"JpgTiffExif->JP2",
    "xmp": bytes.fromhex("be7acfcb97a942e89c71999491e3afac"),
    "iptc": bytes.fromhex("33c7a4d2b81d47238ba0f1a3e097ad38"),
}


def jpeg2000(pixels: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG2000", **options)
    return out.getvalue()


def box(kind: bytes, content: bytes, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


def with_profile(data: bytes, profile: bytes) -> bytes:
    """The same file with a colour specification by a profile instead of a number."""
    start = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, start)
    content = data[start + 8 : start + length]
    colr = content.index(b"colr") - 4
    (size,) = struct.unpack_from(">I", content, colr)
    content = content[:colr] + box(b"colr", b"\2\0\0" + profile) + content[colr + size :]
    return data[:start] + box(b"jp2h", content) + data[start + length :]


@pytest.mark.parametrize("suffix", [".jp2", ".j2k"])
def test_pixels_and_transparency(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    for pixels in (RGB[..., 0], RGB):
        path.write_bytes(jpeg2000(pixels, no_jp2=suffix == ".j2k"))
        photograph = read_photograph(path)
        assert photograph.format == "JPEG2000"
        np.testing.assert_array_equal(photograph.pixels, pixels)
        assert photograph.alpha is None
    path.write_bytes(jpeg2000(RGBA))
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, RGBA[..., :3])
    np.testing.assert_array_equal(photograph.alpha, RGBA[..., 3])


def test_gray_of_16_bits_stays_so(tmp_path: Path) -> None:
    path, deep = tmp_path / "x.jp2", RGB[..., 0].astype(np.uint16) * 250 + 77
    path.write_bytes(jpeg2000(deep))
    assert read_header(path).bit_depth == 16
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, deep)
    write_photograph(tmp_path / "x.png", photograph.pixels, photograph)
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.png").pixels, deep)


def test_a_profile_counts(tmp_path: Path) -> None:
    profile = SPACES["Adobe RGB"].profile()
    (tmp_path / "x.jp2").write_bytes(with_profile(jpeg2000(RGB), profile))
    Image.fromarray(RGB).save(tmp_path / "x.png", icc_profile=profile)
    ours, same = read_photograph(tmp_path / "x.jp2"), read_photograph(tmp_path / "x.png")
    np.testing.assert_array_equal(ours.pixels, same.pixels)
    assert not np.array_equal(ours.pixels, RGB)


@pytest.mark.parametrize("wide", [False, True])
def test_exif_xmp_and_iptc(wide: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.jp2"
    exif = Image.Exif()
    exif[0x013B] = "A. Person"
    contents = {"exif": exif.tobytes().removeprefix(b"Exif\0\0"), "xmp": XMP, "iptc": IPTC}
    boxes = b"".join(box(b"uuid", UUIDS[name] + content, wide) for name, content in contents.items())
    path.write_bytes(jpeg2000(RGB) + box(b"free", b"\0" * 9) + boxes)
    photograph = read_photograph(path)
    found = Image.Exif()
    found.load(photograph.exif or b"")
    assert found[0x013B] == "A. Person"
    assert photograph.xmp is not None
    assert photograph.iptc == IPTC


@pytest.mark.parametrize("length", [b"\0\0\0\1", b"\xff\xff\xff\xff", b"\0\0\0\0"], ids=bytes.hex)
def test_damaged_boxes_are_left_out(length: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jp2"
    path.write_bytes(jpeg2000(RGB) + length + b"uuid\0\0")
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert (photograph.exif, photograph.xmp, photograph.iptc) == (None, None, None)


@pytest.mark.parametrize("length", [3, 100, -100, -1])
def test_what_is_cut_short_is_refused(length: int, tmp_path: Path) -> None:
    (tmp_path / "x.jp2").write_bytes(jpeg2000(RGB)[:length])
    with pytest.raises(ImageError, match=r"x\.jp2: cannot be read as a photograph: "):
        read_photograph(tmp_path / "x.jp2")
