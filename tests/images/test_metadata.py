"""Orientation, EXIF, resolution and profiles: read, and carried into the file that is written."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin
from PIL.ExifTags import GPS, IFD, Base

from colorize.images import Photograph, read_photograph, read_rgb, write_photograph
from tests.images.samples import ALPHA, GRAY, RGB, RGB_16, STORE, png_16

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NAMES = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP", ".bmp": "BMP", ".avif": "AVIF"}


@pytest.mark.parametrize("orientation", STORE)
@pytest.mark.parametrize(
    "kind", ["jpg", "png", "webp", "tif", "lzw.tif", "png 16", "tif 16", "gray png 16", "gray tif 16"]
)
def test_orientation_turns_pixels_alpha_and_resolution(kind: str, orientation: int, tmp_path: Path) -> None:
    upright = RGB.repeat(16, 0).repeat(16, 1)
    gray = kind.startswith("gray")
    stored = np.ascontiguousarray(STORE[orientation](upright[..., 0] if gray else upright))
    stored_alpha = np.ascontiguousarray(STORE[orientation](ALPHA.repeat(16, 0).repeat(16, 1)))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.XResolution], exif[Base.YResolution] = 300.0, 600.0
    path = tmp_path / f"x.{kind.split()[-2] if kind.endswith('16') else kind}"
    has_alpha = not gray and kind != "jpg"
    if has_alpha:
        stored = np.dstack([stored, stored_alpha])
    if kind.endswith("png 16"):
        png_16(path, stored.astype(np.uint16) * 257, (b"eXIf", exif.tobytes()[6:]))
    elif kind.endswith("tif 16"):
        tifffile.imwrite(
            path,
            stored.astype(np.uint16) * 257,
            photometric="minisblack" if gray else "rgb",
            extrasamples=None if gray else ["unassalpha"],
            resolution=(300, 600),
            resolutionunit=2,
            extratags=[(Base.Orientation, "H", 1, orientation, True)],
        )
    else:
        options: dict[str, dict[str, Any]] = {
            "lzw.tif": {"compression": "tiff_lzw", "dpi": (300, 600)},
            "tif": {"dpi": (300, 600)},
            "webp": {"lossless": True, "exact": True},
            "jpg": {"quality": 100, "subsampling": 0},
        }
        Image.fromarray(stored).save(path, exif=exif, **options.get(kind, {}))
    photograph = read_photograph(path)
    depth = 257 if kind.endswith("16") else 1
    expected = upright[..., 0] if gray else upright
    np.testing.assert_allclose(
        photograph.pixels.astype(int), expected.astype(int) * depth, atol=4 if kind == "jpg" else 0
    )
    if has_alpha:
        assert photograph.alpha is not None
        np.testing.assert_array_equal(photograph.alpha, ALPHA.repeat(16, 0).repeat(16, 1).astype(int) * depth)
    assert read_rgb(path).shape == upright.shape
    assert photograph.dpi == ((300, 600) if orientation < 5 else (600, 300))
    write_photograph(tmp_path / "again.png", photograph.pixels, photograph)
    with Image.open(tmp_path / "again.png") as again:
        assert Base.Orientation not in again.getexif()


def rich_exif(size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Artist], exif[Base.ImageDescription] = "Prokudin", "Ein Bild, 1910"
    exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit] = 200.0, 100.0, 2
    details = exif.get_ifd(IFD.Exif)
    details[Base.ExposureTime] = TiffImagePlugin.IFDRational(1, 250)
    details[Base.DateTimeOriginal] = "1910:06:01 12:00:00"
    details[Base.MakerNote] = bytes(range(200))
    details[Base.ExifImageWidth], details[Base.ExifImageHeight] = size
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (59.0, 56.0, 2.5)
    return exif.tobytes()


def with_thumbnail(exif: bytes) -> bytes:
    """The block with a second directory, of one tag, as cameras put their thumbnail."""
    body = bytearray(exif[6:])
    order = ">" if body[:2] == b"MM" else "<"
    (first,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, first)
    struct.pack_into(order + "I", body, first + 2 + 12 * count, len(body))
    entry = struct.pack(order + "HHHHHHI", 1, Base.Orientation, 3, 0, 1, 6, 0)[: 2 + 12]
    return exif[:6] + bytes(body) + entry + bytes(4)


def test_the_thumbnail_stays_out(tmp_path: Path) -> None:
    block = with_thumbnail(rich_exif((7, 5)))
    Image.fromarray(RGB).save(tmp_path / "x.jpg", exif=block)
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.getexif().get_ifd(IFD.IFD1)
    write_photograph(tmp_path / "y.jpg", RGB, read_photograph(tmp_path / "x.jpg"))
    with Image.open(tmp_path / "y.jpg") as image:
        assert not image.getexif().get_ifd(IFD.IFD1)
        assert image.getexif()[Base.Artist] == "Prokudin"


@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp", ".avif", "16.png", "16.tif"])
def test_exif_profile_and_resolution_are_carried(source: str, target: str, tmp_path: Path) -> None:
    stored = np.ascontiguousarray(STORE[6](RGB))
    exif = Image.Exif()
    exif.load(rich_exif((5, 7)))
    if source == ".tif":
        Image.fromarray(stored).save(tmp_path / "x.tif", exif=exif, icc_profile=SRGB, dpi=(200, 100))
    else:
        Image.fromarray(stored).save(tmp_path / f"x{source}", exif=exif, icc_profile=SRGB)
    original = read_photograph(tmp_path / f"x{source}")
    assert original.icc_profile == SRGB
    assert original.dpi == (100, 200)
    assert original.format == NAMES[source]
    pixels = RGB_16 if target.startswith("16") else RGB
    path = tmp_path / f"y{target}"
    write_photograph(path, pixels, original)
    again = read_photograph(path)
    assert again.pixels.dtype == pixels.dtype
    assert again.icc_profile == SRGB
    assert again.dpi == pytest.approx((100, 200), rel=1e-4)
    with Image.open(path) as image:  # what other programs will see
        read = image.getexif()
        assert read[Base.Artist] == "Prokudin"
        assert read[Base.ImageDescription] == "Ein Bild, 1910"
        assert Base.Orientation not in read
        assert (read[Base.XResolution], read[Base.YResolution], read[Base.ResolutionUnit]) == (100, 200, 2)
        details = read.get_ifd(IFD.Exif)
        assert details[Base.ExposureTime] == pytest.approx(1 / 250)
        assert details[Base.DateTimeOriginal] == "1910:06:01 12:00:00"
        assert details[Base.MakerNote] == bytes(range(200))
        assert (details[Base.ExifImageWidth], details[Base.ExifImageHeight]) == (7, 5)
        assert read.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] == (59.0, 56.0, 2.5)
        assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_text_and_comments_are_those_of_the_file(target: str, order: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.endian = order
    exif[Base.Artist] = "Jürgen Müller, 日本".encode()
    exif.get_ifd(IFD.Exif)[Base.LensModel] = "a" * 20
    exif.get_ifd(IFD.Exif)[Base.UserComment] = b"ASCII\0\0\0a comment"
    block = exif.tobytes().replace(b"a" * 20, b"Planar f/2,8 \xe2\x80\x93 50mm")
    Image.fromarray(RGB).save(tmp_path / "x.jpg", exif=block)
    write_photograph(tmp_path / f"y{target}", RGB, read_photograph(tmp_path / "x.jpg"))
    with Image.open(tmp_path / f"y{target}") as image:
        data = image.getexif().fp.getvalue() if target != ".tif" else (tmp_path / "y.tif").read_bytes()
    assert "Jürgen Müller, 日本\0".encode() in data
    assert "Planar f/2,8 – 50mm\0".encode() in data
    file_order = order if target != ".tif" else "<"
    assert data[:2] == {"<": b"II", ">": b"MM"}[file_order]
    assert struct.pack(f"{file_order}HHI", Base.UserComment, 7, 17) in data  # 7 is UNDEFINED


@pytest.mark.parametrize("target", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("order", "<>")
def test_comments_in_utf_16_have_the_order_of_their_file(order: str, target: str, tmp_path: Path) -> None:
    codec = {"<": "utf-16-le", ">": "utf-16-be"}
    exif = Image.Exif()
    exif.endian = order
    exif[Base.XPComment] = "Größe, 写真".encode("utf-16-le")  # always little-endian
    exif.get_ifd(IFD.Exif)[Base.UserComment] = b"UNICODE\0" + "Größe, 写真".encode(codec[order])
    Image.fromarray(RGB).save(tmp_path / "x.jpg", exif=exif)
    write_photograph(tmp_path / f"y{target}", RGB, read_photograph(tmp_path / "x.jpg"))
    write_photograph(tmp_path / "z.jpg", RGB, read_photograph(tmp_path / f"y{target}"))
    for name in (f"y{target}", "z.jpg"):
        with Image.open(tmp_path / name) as image:
            read = image.getexif()
            assert read[Base.XPComment].decode("utf-16-le") == "Größe, 写真"
            comment = read.get_ifd(IFD.Exif)[Base.UserComment]
        written = (tmp_path / name).read_bytes()
        block_order = "<" if b"II*\0" in written[:100] else ">"
        assert comment[8:].decode(codec[block_order]) == "Größe, 写真"


@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp"])
def test_a_directory_that_the_file_has_not_is_not_pointed_to(target: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Artist] = "Prokudin"
    Image.fromarray(RGB).save(tmp_path / "x.tif", exif=exif)
    write_photograph(tmp_path / f"y{target}", RGB, read_photograph(tmp_path / "x.tif"))
    with Image.open(tmp_path / f"y{target}") as image:
        assert image.getexif()[Base.Artist] == "Prokudin"
        assert not {IFD.Exif, IFD.GPSInfo} & image.getexif().keys()


def test_a_tiffs_own_description_is_carried_but_not_its_layout(tmp_path: Path) -> None:
    extra = [(Base.Artist, "s", 0, "Prokudin", True), (Base.Copyright, "s", 0, "frei", True)]
    tifffile.imwrite(tmp_path / "x.tif", GRAY, photometric="miniswhite", extratags=extra, rowsperstrip=1)
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(photograph.pixels, 255 - GRAY)
    write_photograph(tmp_path / "y.tif", RGB_16, photograph)
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        tags = file.pages[0].tags  # type: ignore[union-attr]
        assert tags["Artist"].value == "Prokudin"
        assert tags["PhotometricInterpretation"].value == 2
        np.testing.assert_array_equal(file.asarray(), RGB_16)


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0not a TIFF header", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", rich_exif((7, 5))[:60]],
    ids=["no TIFF", "no directory", "empty", "cut off"],
)
@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File Read", "ignore:Possibly corrupt EXIF")
def test_a_damaged_exif_block_does_not_lose_the_photograph(block: bytes, suffix: str, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / f"x{suffix}", exif=block, lossless=True)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(photograph.pixels, RGB)
    write_photograph(tmp_path / "y.png", RGB, photograph)
    np.testing.assert_array_equal(read_rgb(tmp_path / "y.png"), RGB)


def test_16_bit_png_chunks_are_in_order_and_sound(tmp_path: Path) -> None:
    like = Photograph(RGB_16, icc_profile=SRGB, exif=rich_exif((7, 5)), dpi=(300, 300))
    write_photograph(tmp_path / "x.png", RGB_16, like)
    with Image.open(tmp_path / "x.png") as image:
        image.verify()
    data = (tmp_path / "x.png").read_bytes()
    assert data[data.index(b"eXIf") + 4 :][:2] in (b"II", b"MM")  # without the name that JPEG has before it
    kinds = [data.index(kind) for kind in (b"IHDR", b"iCCP", b"pHYs", b"eXIf", b"IDAT", b"IEND")]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize(("length", "fits"), [(65532, True), (65534, False)])
def test_exif_too_long_for_jpeg_stays_out(length: int, fits: bool, tmp_path: Path) -> None:
    """A segment has 65535 bytes, two of which are its length; a block has an even number."""
    exif = Image.Exif()
    exif[Base.Artist] = "Prokudin"
    exif[Base.ImageDescription] = "x" * 100
    text = "x" * (100 + length - len(exif.tobytes()))
    exif[Base.ImageDescription] = text
    assert len(exif.tobytes()) == length
    like = Photograph(RGB, exif=exif.tobytes())
    for suffix, expected in ((".jpg", text if fits else None), (".png", text), (".tif", text)):
        write_photograph(tmp_path / f"x{suffix}", RGB, like)
        with Image.open(BytesIO((tmp_path / f"x{suffix}").read_bytes())) as image:
            assert image.getexif().get(Base.ImageDescription) == expected
