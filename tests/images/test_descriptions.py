"""XMP and IPTC: read, and carried into the file that is written."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, IptcImagePlugin
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from colorize.images import Photograph, read_photograph, write_photograph
from colorize.images.descriptions import iptc_segment, read_xmp
from tests.images.rgb_profiles import SPACES
from tests.images.samples import RGB, RGB_16, STORE

XMP_SUFFIXES = [".jpg", ".png", ".tif", ".webp", ".avif"]


def packet(facts: str = "", title: str = "Бухара, 1911") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        f'{facts}><dc:title>{title}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def record(dataset: int, text: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, dataset, len(text)) + text


IPTC = record(5, b"The Emir") + record(25, b"Bukhara") + record(120, b"x" * 300)


def save(path: Path, xmp: bytes, **options: Any) -> None:
    image = Image.fromarray(RGB)
    if path.suffix == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode("latin-1") if b"\xff" in xmp else xmp.decode())
    elif path.suffix == ".tif":
        options["tiffinfo"] = {700: xmp, Base.Orientation: options.pop("exif", {}).get(Base.Orientation, 1)}
    else:
        options["xmp"] = xmp
    image.save(path, **options)


@pytest.mark.parametrize("source", XMP_SUFFIXES)
@pytest.mark.parametrize("target", [*XMP_SUFFIXES, "16.png", "16.tif"])
def test_xmp_is_carried(source: str, target: str, tmp_path: Path) -> None:
    save(tmp_path / f"x{source}", packet())
    photograph = read_photograph(tmp_path / f"x{source}")
    assert photograph.xmp == packet()
    write_photograph(tmp_path / f"y{target}", RGB_16 if "16" in target else RGB, photograph)
    assert read_photograph(tmp_path / f"y{target}").xmp == packet()
    with Image.open(tmp_path / f"y{target}") as image:  # what other programs will see
        image.load()
        assert image.info["xmp"] == packet()


@pytest.mark.parametrize("kind", ["s", "B", 7], ids=["ASCII", "BYTE", "UNDEFINED"])
def test_xmp_of_a_tiff_is_that_of_its_file_whatever_its_type(kind: Any, tmp_path: Path) -> None:
    tag = (700, kind, 0 if kind == "s" else len(packet()), packet(), True)
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", extratags=[tag])
    assert read_photograph(tmp_path / "x.tif").xmp == packet()


def jpeg_with_iptc(path: Path) -> None:
    Image.fromarray(RGB).save(path, extra=iptc_segment(IPTC))


def long_tag(order: str) -> tuple[int, str, int, Any, bool]:
    padded = IPTC + bytes(-len(IPTC) % 4)
    return (33723, "I", len(padded) // 4, struct.unpack(f"{order}{len(padded) // 4}I", padded), True)


@pytest.mark.parametrize("source", ["x.jpg", "undefined.tif", "long.tif", "big-endian.tif"])
@pytest.mark.parametrize("target", [".jpg", ".tif", "16.tif"])
def test_iptc_is_carried(source: str, target: str, tmp_path: Path) -> None:
    path = tmp_path / source
    if source == "x.jpg":
        jpeg_with_iptc(path)
    elif source == "undefined.tif":
        tag = (33723, "B", len(IPTC), IPTC, True)
        tifffile.imwrite(path, RGB, photometric="rgb", extratags=[tag])
    else:
        order = ">" if source.startswith("big") else "<"
        tifffile.imwrite(path, RGB, photometric="rgb", byteorder=order, extratags=[long_tag(order)])
    photograph = read_photograph(path)
    assert photograph.iptc == IPTC
    write_photograph(tmp_path / f"y{target}", RGB_16 if "16" in target else RGB, photograph)
    with Image.open(tmp_path / f"y{target}") as image:  # what other programs will see
        facts = IptcImagePlugin.getiptcinfo(image)
        kind = image.tag_v2.tagtype[33723] if target != ".jpg" else 7  # type: ignore[attr-defined]
    assert kind == 7  # UNDEFINED
    assert facts is not None
    assert facts[2, 5] == b"The Emir"
    assert facts[2, 120] == b"x" * 300


@pytest.mark.parametrize("target", [".png", ".webp", ".bmp", ".avif"])
def test_formats_without_iptc_are_written_without_it(target: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"y{target}", RGB, Photograph(RGB, iptc=IPTC))
    assert read_photograph(tmp_path / f"y{target}").iptc is None


@pytest.mark.parametrize("fact", ['tiff:Orientation="6"', "tiff:Orientation = '6'"])
@pytest.mark.parametrize("suffix", XMP_SUFFIXES)
def test_a_picture_is_turned_once(fact: str, suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    options = {"exif": exif, "quality": 100, "lossless": True}
    save(tmp_path / f"x{suffix}", packet(fact), **options if suffix != ".tif" else {"exif": exif})
    photograph = read_photograph(tmp_path / f"x{suffix}")
    assert photograph.pixels.shape == (7, 5, 3)
    assert photograph.xmp == packet(fact.replace("6", "1"))
    write_photograph(tmp_path / f"y{suffix}", photograph.pixels, photograph)
    assert read_photograph(tmp_path / f"y{suffix}").pixels.shape == (7, 5, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
def test_xmp_alone_turns_a_picture(suffix: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"x{suffix}", RGB, Photograph(RGB, xmp=packet('tiff:Orientation="6"')))
    photograph = read_photograph(tmp_path / f"x{suffix}")
    assert photograph.pixels.shape == (7, 5, 3)
    assert photograph.xmp == packet('tiff:Orientation="1"')
    if suffix == ".png":
        np.testing.assert_array_equal(STORE[6](photograph.pixels), RGB)


@pytest.mark.parametrize("depth", [1, 257])
def test_xmp_alone_turns_no_tiff_of_any_depth(depth: int, tmp_path: Path) -> None:
    pixels = RGB if depth == 1 else RGB.astype(np.uint16) * np.uint16(257)
    write_photograph(tmp_path / "x.tif", pixels, Photograph(pixels, xmp=packet('tiff:Orientation="6"')))
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, pixels)


def test_properties_are_found_whatever_they_are_written_as() -> None:
    element = packet().replace(b"<dc:title>", b"<tiff:Orientation>8</tiff:Orientation><dc:title>")
    assert read_xmp(element) == element.replace(b">8<", b">1<")
    prefix = packet('tiff:Orientation="3"').replace(b"tiff:", b"t:").replace(b":tiff", b":t")
    assert read_xmp(prefix) == prefix.replace(b'"3"', b'"1"')
    assert read_xmp(b"\0 \t" + packet() + b"\r\n\0") == packet()
    other = packet('xmlns:my="urn:mine" my:Orientation="3"')
    assert read_xmp(other) == other


def test_converted_pixels_are_srgb_in_xmp_too(tmp_path: Path) -> None:
    facts = 'exif:ColorSpace="65535" photoshop:ICCProfile="Adobe RGB (1998)"'
    save(tmp_path / "x.png", packet(facts), icc_profile=SPACES["Adobe RGB"].profile())
    expected = packet('exif:ColorSpace="1" photoshop:ICCProfile="sRGB IEC61966-2.1"')
    assert read_photograph(tmp_path / "x.png").xmp == expected
    save(tmp_path / "x.png", packet(facts))
    assert read_photograph(tmp_path / "x.png").xmp == packet(facts)


@pytest.mark.parametrize(
    "damaged",
    [
        packet()[:150],
        b"no xml",
        b"\xff\xfe<x/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        packet(title="x" * 2**24),
        packet().decode().encode("utf-16"),
    ],
    ids=["cut", "text", "not UTF-8", "document type", "huge", "UTF-16"],
)
def test_a_damaged_packet_is_left_out(damaged: bytes, tmp_path: Path) -> None:
    assert read_xmp(damaged) is None
    save(tmp_path / "x.tif", damaged)
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.xmp is None


def test_a_packet_of_more_names_than_a_program_writes_is_left_out() -> None:
    """The whole packet is searched for each name of a namespace."""
    names = [f'xmlns:t{number}="http://ns.adobe.com/tiff/1.0/"' for number in range(8)]
    assert read_xmp(f'<x {" ".join(names[:8])} t7:Orientation="6"/>'.encode()) is not None
    assert read_xmp(f'<x xmlns:t="http://ns.adobe.com/tiff/1.0/" {" ".join(names)}/>'.encode()) is None


@pytest.mark.parametrize(
    "damaged", [b"", bytes(4), b"text", IPTC[:-1], IPTC + b"rest", b"\x1c\x02", b"\x1c\x02\x05\x80\x09\xff"]
)
def test_damaged_iptc_is_left_out(damaged: bytes, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "x.jpg", extra=iptc_segment(damaged))
    assert read_photograph(tmp_path / "x.jpg").iptc is None


def test_a_record_that_says_the_size_of_its_size_is_whole(tmp_path: Path) -> None:
    """IIM: the extended form of a dataset, for one longer than 32767 bytes."""
    text = bytes(range(256)) * 40
    extended = struct.pack(">BBBHI", 0x1C, 2, 120, 0x8004, len(text)) + text + record(5, b"The Emir")
    Image.fromarray(RGB).save(tmp_path / "x.jpg", extra=iptc_segment(extended))
    assert read_photograph(tmp_path / "x.jpg").iptc == extended
    Image.fromarray(RGB).save(tmp_path / "x.jpg", extra=iptc_segment(extended[:9000]))
    assert read_photograph(tmp_path / "x.jpg").iptc is None


def test_a_segment_holds_what_fits_and_ends_even() -> None:
    assert iptc_segment(b"abc").endswith(b"\0\0\0\x03abc\0")
    longest = iptc_segment(bytes(65506))
    assert struct.unpack_from(">H", longest, 2) == (len(longest) - 2,) == (65534,)
    assert iptc_segment(bytes(65507)) == b""


def test_what_is_too_long_for_jpeg_stays_out(tmp_path: Path) -> None:
    like = Photograph(RGB, xmp=packet(title="x" * 70000), iptc=record(120, b"x" * 32000) * 3)
    write_photograph(tmp_path / "x.jpg", RGB, like)
    assert (read_photograph(tmp_path / "x.jpg").xmp, read_photograph(tmp_path / "x.jpg").iptc) == (None, None)
    longest = packet(title="x" * (65504 - len(packet(title=""))))
    for xmp, written in ((longest, longest), (longest.replace(b"title>x", b"title>xx", 1), None)):
        write_photograph(tmp_path / "x.jpg", RGB, Photograph(RGB, xmp=xmp))
        assert read_photograph(tmp_path / "x.jpg").xmp == written
    write_photograph(tmp_path / "x.tif", RGB, like)
    assert (read_photograph(tmp_path / "x.tif").xmp, read_photograph(tmp_path / "x.tif").iptc) == (like.xmp, like.iptc)
