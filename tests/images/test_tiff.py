"""Pages of a TIFF."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.errors import ImageError
from colorize.images import read_photograph, read_rgb
from tests.images.samples import GRAY


def pages(path: Path, *kinds: int) -> None:
    """A TIFF whose page of number n is filled with n, and has the NewSubfileType of that place."""
    with tifffile.TiffWriter(path) as file:
        for number, kind in enumerate(kinds):
            if kind == 4:
                file.write(np.zeros((4, 4), bool), photometric="mask", subfiletype=kind)
            else:
                file.write(np.full((4, 4, 3), number, np.uint8), photometric="rgb", subfiletype=kind)


def test_a_tiff_of_several_pages_is_refused_with_their_number(tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", 0, 0, 1, 0)
    with pytest.raises(ImageError, match="it has 3 pages; split it"):
        read_photograph(tmp_path / "x.tif")


@pytest.mark.parametrize(("kinds", "number"), [((0, 1, 1), 0), ((1, 0, 1), 1), ((0, 4), 0), ((1,), 0)])
def test_reduced_copies_in_a_tiff_do_not_count(kinds: tuple[int, ...], number: int, tmp_path: Path) -> None:
    pages(tmp_path / "x.tif", *kinds)
    assert read_rgb(tmp_path / "x.tif").max() == number


def test_pages_in_a_ring_end(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(GRAY).save(buffer, "TIFF")
    data = bytearray(buffer.getvalue())
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    (tmp_path / "x.tif").write_bytes(data)
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, GRAY)
