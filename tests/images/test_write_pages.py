"""Pages written into one TIFF."""

import errno
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.errors import DiskFullError, ImageError
from colorize.images import Photograph, read_header, read_photograph, write_pages, write_photograph
from colorize.images import write as module
from colorize.images.icc import srgb_profile
from tests.images.samples import ALPHA, GRAY, GRAY_16, RGB, RGB_16

PAGES = [
    Photograph(RGB, dpi=(300, 300), icc_profile=srgb_profile()),
    Photograph(GRAY_16, dpi=(72, 100)),
    Photograph(RGB_16[:3, :3], xmp=b"<x/>", iptc=b"\x1c\x02\x05\0\1a"),
    Photograph(GRAY, alpha=ALPHA),
]


def test_each_page_keeps_its_depth_alpha_and_metadata(tmp_path: Path) -> None:
    with write_pages(tmp_path / "x.tif") as add:
        for page in PAGES:
            add(page.pixels, page)
    assert read_header(tmp_path / "x.tif").pages == len(PAGES)
    for number, page in enumerate(PAGES):
        again = read_photograph(tmp_path / "x.tif", page=number)
        write_photograph(tmp_path / "one.tif", page.pixels, page)
        alone = read_photograph(tmp_path / "one.tif")
        np.testing.assert_array_equal(again.pixels, page.pixels)
        assert again.pixels.dtype == page.pixels.dtype
        assert again.alpha is None if page.alpha is None else np.array_equal(again.alpha, page.alpha)  # type: ignore[arg-type]
        facts = ("icc_profile", "exif", "xmp", "iptc", "dpi")
        assert [getattr(again, fact) for fact in facts] == [getattr(alone, fact) for fact in facts]


def test_pillow_and_tifffile_see_the_same_pages(tmp_path: Path) -> None:
    with write_pages(tmp_path / "x.tif") as add:
        for page in PAGES[:2]:
            add(page.pixels, page)
    with tifffile.TiffFile(tmp_path / "x.tif") as file, Image.open(tmp_path / "x.tif") as image:
        assert len(file.pages) == image.n_frames == 2  # type: ignore[attr-defined]
        for number, page in enumerate(PAGES[:2]):
            np.testing.assert_array_equal(file.pages[number].asarray(), page.pixels)
            image.seek(number)
            np.testing.assert_array_equal(np.asarray(image), page.pixels)


def test_one_page_is_the_file_of_one_photograph(tmp_path: Path) -> None:
    with write_pages(tmp_path / "x.tif") as add:
        add(PAGES[0].pixels, PAGES[0])
    write_photograph(tmp_path / "y.tif", PAGES[0].pixels, PAGES[0])
    assert (tmp_path / "x.tif").read_bytes() == (tmp_path / "y.tif").read_bytes()


@pytest.mark.parametrize("error", [ValueError("no colours"), KeyboardInterrupt(), RuntimeError("out of memory")])
def test_what_goes_wrong_between_pages_leaves_the_old_file(error: BaseException, tmp_path: Path) -> None:
    write_photograph(tmp_path / "x.tif", GRAY)
    before = (tmp_path / "x.tif").read_bytes()

    def write() -> None:
        with write_pages(tmp_path / "x.tif") as add:
            add(RGB, PAGES[0])
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    assert caught.value is error
    assert (tmp_path / "x.tif").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "x.tif"]


def test_a_full_disk_and_other_names_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match=r"only \.tif and \.tiff hold pages"), write_pages(tmp_path / "x.png"):
        pass
    with pytest.raises(ImageError, match="cannot be written: No such file"), write_pages(tmp_path / "absent/x.tif"):
        pass
    monkeypatch.setattr(module, "_LONGEST_TIFF", 400)
    with (
        pytest.raises(ImageError, match="its pages need more than the 4 GiB of a TIFF"),
        write_pages(tmp_path / "x.tif") as add,
    ):
        add(RGB, PAGES[0])

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskFullError), write_pages(tmp_path / "x.tif"):
        pass
    assert not list(tmp_path.iterdir())


def test_pages_begin_at_even_places(tmp_path: Path) -> None:
    """TIFF 6.0, section 2."""
    with write_pages(tmp_path / "x.TIF") as add:
        for size in range(1, 9):
            pixels = np.random.default_rng(size).integers(0, 256, (size, 3), dtype=np.uint8)
            add(pixels, Photograph(pixels))
    with tifffile.TiffFile(tmp_path / "x.TIF") as file:
        assert len(file.pages) == 8
        assert not any(page.offset % 2 for page in file.pages)


def test_pages_are_counted_together_and_checked_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with write_pages(tmp_path / "one.tif") as add:
        add(GRAY, PAGES[1])
    size = (tmp_path / "one.tif").stat().st_size
    monkeypatch.setattr(module, "_LONGEST_TIFF", 2 * size)
    with write_pages(tmp_path / "two.tif") as add:
        add(GRAY, PAGES[1])
        add(GRAY, PAGES[1])
        with pytest.raises(ImageError, match="its pages need more than the 4 GiB of a TIFF"):
            add(GRAY, PAGES[1])
        with pytest.raises(ValueError, match="not uint8 or uint16"):
            add(GRAY.astype(np.int64), PAGES[1])  # type: ignore[arg-type]
    assert read_header(tmp_path / "two.tif").pages == 2


def test_one_page_at_a_time_is_in_memory(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000), dtype=np.uint8)
    tracemalloc.start()
    with write_pages(tmp_path / "x.tif") as add:
        add(noise, Photograph(noise))
        _, one = tracemalloc.get_traced_memory()
        for _ in range(5):
            add(noise, Photograph(noise))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "x.tif").stat().st_size > 5 * noise.nbytes
    assert most < one + noise.nbytes
