"""Pages of a TIFF."""

import struct
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from colorize.errors import ImageError
from colorize.images import Header, Photograph, read_header, read_photograph, read_rgb, write_pages
from colorize.images.icc import srgb_profile
from tests.images.samples import GRAY, RGB


def pages(path: Path, *kinds: int) -> None:
    """A TIFF whose page of number n is filled with n, and has the NewSubfileType of that place."""
    with tifffile.TiffWriter(path) as file:
        for number, kind in enumerate(kinds):
            if kind == 4:
                file.write(np.zeros((4, 4), bool), photometric="mask", subfiletype=kind)
            else:
                file.write(np.full((4, 4, 3), number % 256, np.uint8), photometric="rgb", subfiletype=kind)


def test_a_tiff_of_several_pages_is_refused_with_their_number(tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", 0, 0, 1, 0)
    with pytest.raises(ImageError, match=r"it has 3 pages, which predict.py colours; here give a file of one page"):
        read_photograph(tmp_path / "x.tif")


@pytest.mark.parametrize(("kinds", "number"), [((0, 1, 1), 0), ((1, 0, 1), 1), ((0, 4), 0), ((1,), 0)])
def test_reduced_copies_in_a_tiff_do_not_count(kinds: tuple[int, ...], number: int, tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", *kinds)
    assert read_rgb(tmp_path / "x.tif").max() == number


def test_pages_are_counted(tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", 0, 2, 1, 0, 4)
    assert read_header(tmp_path / "x.tif").pages == 3
    Image.fromarray(GRAY).save(tmp_path / "x.gif", save_all=True, append_images=[Image.fromarray(255 - GRAY)])
    assert read_header(tmp_path / "x.gif").pages == 1


@pytest.mark.parametrize(
    "end", [b"*\0", b"+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**62) + bytes(40)], ids=["cut", "far"]
)
def test_pages_that_cannot_be_found_are_none(end: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(b"II" + end)
    for read in (read_header, read_photograph):
        with pytest.raises(ImageError, match=r"x\.tif: cannot be read as a photograph: it"):
            read(tmp_path / "x.tif")


def test_a_page_that_is_not_there(tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", 0, 0)
    with pytest.raises(ImageError, match="it has 2 pages, but page 3 was asked for"):
        read_photograph(tmp_path / "x.tif", page=2)
    with pytest.raises(ImageError, match="it has 2 pages, but page 0 was asked for"):
        read_photograph(tmp_path / "x.tif", page=-1)
    Image.fromarray(GRAY).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.png", page=0).pixels, GRAY)
    for read in (read_photograph, read_header):
        with pytest.raises(ImageError, match="it has 1 page, but page 2 was asked for"):
            read(tmp_path / "x.png", page=1)
    pages(tmp_path / "x.tif", *[0] * 1001)
    with pytest.raises(ImageError, match="it has 1000 or more pages; split it"):
        read_photograph(tmp_path / "x.tif", page=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 16)},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 7},
        {"planarconfig": "separate"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_each_page_is_read_as_a_file_of_its_own_is(dtype: type, options: dict[str, Any], tmp_path: Path) -> None:
    whole = {key: value for key, value in options.items() if key in ("bigtiff", "byteorder")}
    each = {key: value for key, value in options.items() if key not in whole}
    axis = 0 if options.get("planarconfig") else -1
    colors = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (3, 40, 50, 3)).astype(dtype)
    extra = [(315, "s", 0, "Prokudin-Gorsky", True)]
    with tifffile.TiffWriter(tmp_path / "x.tif", **whole) as file:
        for number, page in enumerate(colors):
            page = np.moveaxis(page[: 20 + number], -1, axis).copy()
            resolution = (100 + number, 200)
            file.write(page, photometric="rgb", resolution=resolution, resolutionunit=2, extratags=extra, **each)
            file.write(np.zeros((4, 4, 3), np.uint8), photometric="rgb", subfiletype=1)
    assert read_header(tmp_path / "x.tif").pages == 3
    for number, page in enumerate(colors):
        photograph = read_photograph(tmp_path / "x.tif", page=number)
        np.testing.assert_array_equal(photograph.pixels, page[: 20 + number])
        assert photograph.dpi == (100 + number, 200)
        assert b"Prokudin-Gorsky" in (photograph.exif or b"")
        depth = 16 if dtype is np.uint16 else 8
        assert read_header(tmp_path / "x.tif", number) == Header(50, 20 + number, depth, 3)


@pytest.mark.parametrize("compression", [None, "jpeg", "tiff_lzw", "tiff_adobe_deflate"])
def test_pages_of_pillow_keep_orientation_exif_and_profile(compression: str | None, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "1910:06:01 12:00:00"
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (59.0, 56.0, 2.5)
    files = [Image.fromarray(RGB.repeat(16, 0).repeat(16, 1)), Image.fromarray(GRAY), Image.fromarray(RGB)]
    options = {"exif": exif, "compression": compression, "icc_profile": srgb_profile()}
    files[0].save(tmp_path / "x.tif", save_all=True, append_images=files[1:], **options)
    assert read_header(tmp_path / "x.tif").pages == 3
    for number, image in enumerate(files):
        image.save(tmp_path / "one.tif", **options)
        alone, page = read_photograph(tmp_path / "one.tif"), read_photograph(tmp_path / "x.tif", page=number)
        np.testing.assert_array_equal(page.pixels, alone.pixels)
        assert page.exif == alone.exif
        assert page.icc_profile == alone.icc_profile
        assert alone.pixels.shape[:2] == image.size


@pytest.mark.parametrize(
    "pointer", [struct.pack("<HHII", IFD.Exif, 4, 1, 10**6), struct.pack("<HHII", IFD.Exif, 7, 4, 8)]
)
def test_a_page_whose_exif_is_damaged_is_read_without(pointer: bytes, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Model] = "Leica"
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "1910:06:01 12:00:00"
    with write_pages(tmp_path / "x.tif") as add:
        for _ in range(2):
            add(RGB, Photograph(RGB, exif=exif.tobytes()))
    data = bytearray((tmp_path / "x.tif").read_bytes())
    at = data.index(struct.pack("<HHI", IFD.Exif, 4, 1))
    data[at : at + len(pointer)] = pointer
    (tmp_path / "x.tif").write_bytes(data)
    for number, has_date in enumerate((False, True)):
        photograph = read_photograph(tmp_path / "x.tif", page=number)
        np.testing.assert_array_equal(photograph.pixels, RGB)
        assert b"Leica" in (photograph.exif or b"")
        assert (b"1910:06:01" in (photograph.exif or b"")) is has_date


def test_a_page_alone_is_in_memory(tmp_path: Path) -> None:
    big, small = np.zeros((3000, 3000, 3), np.uint8), np.zeros((10, 10, 3), np.uint8)
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        for page in (small, big, small):
            file.write(page, photometric="rgb")
    tracemalloc.start()
    read_photograph(tmp_path / "x.tif", page=2)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < big.nbytes / 10


@pytest.mark.parametrize("tag", [258, 273, 279])
@pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Metadata Warning")
def test_a_hostile_directory_is_refused(tag: int, tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", 0, 0)
    data = bytearray((tmp_path / "x.tif").read_bytes())
    entry = data.index(struct.pack("<HH", tag, 3 if tag == 258 else 4))
    struct.pack_into("<I", data, entry + 4, 2**31)
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(ImageError):
        read_photograph(tmp_path / "x.tif", page=0)


def test_pages_in_a_ring_end(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(GRAY).save(buffer, "TIFF")
    data = bytearray(buffer.getvalue())
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    (tmp_path / "x.tif").write_bytes(data)
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, GRAY)
