"""Comments and texts are carried from file to file."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from colorize.images import Photograph, read_photograph, write_photograph
from colorize.images.photograph import Planes
from tests.images.samples import GRAY, RGB, chunk, png_16

LONG_EXIF = Image.Exif()
LONG_EXIF[0x010E] = "x" * 60000
LATIN_1 = "Großmutter, 1931".encode("latin-1")  # no UTF-8
TEXTS = {"Title": "Lido", "Comment": "Großmutter 🏖", "Author": "E."}


def png_with_texts(path: Path, texts: dict[str, str], pixels: np.ndarray = RGB) -> None:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text) if text.isascii() else info.add_itxt(keyword, text)
    Image.fromarray(pixels).save(path, pnginfo=info)


def carry(source: Path, target: Path) -> None:
    photograph = read_photograph(source)
    write_photograph(target, photograph.pixels, photograph)


@pytest.mark.parametrize("comment", [b"Lido, 1931", "Großmutter".encode(), LATIN_1, b"x" * 65533])
def test_the_comment_of_a_jpeg_stays_byte_for_byte(comment: bytes, tmp_path: Path) -> None:
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    Image.fromarray(RGB).save(tmp_path / "x.jpg", extra=segment)
    carry(tmp_path / "x.jpg", tmp_path / "y.jpg")
    with Image.open(tmp_path / "y.jpg") as image:
        assert image.info["comment"] == comment


def test_planes_carry_it_too(tmp_path: Path) -> None:
    half = np.full((3, 4), 128, np.uint8)
    like = Photograph(GRAY, texts={"Comment": "Lido"})
    write_photograph(tmp_path / "x.jpg", Planes(GRAY, half, half), like)
    assert read_photograph(tmp_path / "x.jpg").texts == {"Comment": "Lido"}


def test_the_texts_of_a_png_stay(tmp_path: Path) -> None:
    png_with_texts(tmp_path / "x.png", TEXTS)
    carry(tmp_path / "x.png", tmp_path / "y.png")
    with Image.open(tmp_path / "y.png") as image:
        assert image.info.items() >= TEXTS.items()
        assert (np.asarray(image) == RGB).all()
    assert read_photograph(tmp_path / "y.png").texts == TEXTS


def test_those_of_16_bits_stay_too(tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", RGB.astype(np.uint16), (b"tEXt", b"Title\0Lido"))
    carry(tmp_path / "x.png", tmp_path / "y.png")
    assert read_photograph(tmp_path / "y.png").texts == {"Title": "Lido"}


@pytest.mark.parametrize(
    ("source", "comment", "legible"), [("x.jpg", LATIN_1, "Großmutter, 1931"), ("x.gif", b"Lido", "Lido")]
)
def test_a_comment_becomes_a_text_and_back(source: str, comment: bytes, legible: str, tmp_path: Path) -> None:
    Image.fromarray(GRAY).save(tmp_path / source, comment=comment)
    carry(tmp_path / source, tmp_path / "y.png")
    assert read_photograph(tmp_path / "y.png").texts == {"Comment": legible}
    carry(tmp_path / "y.png", tmp_path / "z.jpg")
    with Image.open(tmp_path / "z.jpg") as image:
        assert image.info["comment"] == legible.encode()


def test_what_stands_for_other_metadata_or_is_damaged_is_left_out(tmp_path: Path) -> None:
    others = {"XML:com.adobe.xmp": "<x/>", "Raw profile type exif": "00", "k" * 80: "long"}
    png_with_texts(tmp_path / "x.png", others | {"Title": "Lido"})
    assert read_photograph(tmp_path / "x.png").texts == {"Title": "Lido"}
    png_16(tmp_path / "y.png", RGB.astype(np.uint16), (b"tEXt", b"Title\0Li\0do"))
    assert read_photograph(tmp_path / "y.png").texts == {}


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("keyword", ["dpi", "exif", "gamma", "icc_profile", "interlace", "srgb", "transparency"])
def test_a_text_is_no_fact_whatever_it_is_called(keyword: str, place: str, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "x.png")
    data = (tmp_path / "x.png").read_bytes()
    at = data.index(b"IDAT" if place == "before" else b"IEND") - 4
    (tmp_path / "x.png").write_bytes(data[:at] + chunk(b"tEXt", keyword.encode() + b"\0Lido") + data[at:])
    photograph = read_photograph(tmp_path / "x.png")
    assert (photograph.pixels == RGB).all()
    assert (photograph.alpha, photograph.exif, photograph.texts) == (None, None, {keyword: "Lido"})


@pytest.mark.parametrize("suffix", [".tif", ".webp", ".bmp"])
def test_other_formats_are_written_without(suffix: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"x{suffix}", RGB, Photograph(RGB, texts=TEXTS))
    assert read_photograph(tmp_path / f"x{suffix}").texts == {}


def test_a_long_comment_stands_beside_other_long_segments(tmp_path: Path) -> None:
    xmp = b"<x>" + b"x" * 60000 + b"</x>"
    like = Photograph(RGB, exif=LONG_EXIF.tobytes(), xmp=xmp, texts={"Comment": "x" * 65533})
    write_photograph(tmp_path / "x.jpg", RGB, like)
    photograph = read_photograph(tmp_path / "x.jpg")
    assert (photograph.texts, photograph.xmp) == (like.texts, xmp)
    assert len(photograph.exif or b"") > 60000


def test_a_comment_longer_than_a_segment_stays_out_of_a_jpeg(tmp_path: Path) -> None:
    write_photograph(tmp_path / "x.jpg", RGB, Photograph(RGB, texts={"Comment": "x" * 65534}))
    assert read_photograph(tmp_path / "x.jpg").texts == {}
