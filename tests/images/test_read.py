"""Broken, foreign, hostile and oddly named files."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.errors import ImageError
from colorize.images import find_photographs, read_header, read_photograph, read_rgb, write_photograph
from tests.images.samples import RGB, RGB_16, Array, small_png_of_size


def test_a_heic_without_the_package_that_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ImageError, match=r"it is a HEIC; pip install 'colorize\[heic\]'"):
        read_photograph(tmp_path / "x.heic")


def test_max_megapixels_refuses_by_the_header(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(small_png_of_size(20000, 10001))
    for read in (read_photograph, read_rgb):
        with pytest.raises(
            ImageError,
            match=r"20000 x 10001 pixels, 200 megapixels, and max_megapixels is 200: make it smaller, or allow more",
        ):
            read(tmp_path / "x.png")
    with pytest.raises(ImageError, match="truncated"):
        read_photograph(tmp_path / "x.png", max_megapixels=None)
    Image.fromarray(RGB).save(tmp_path / "x.png")
    with pytest.raises(ImageError, match=r"it has 7 x 5 pixels, 3.5e-05 megapixels"):
        read_photograph(tmp_path / "x.png", max_megapixels=34e-6)
    assert read_photograph(tmp_path / "x.png", max_megapixels=35e-6).pixels.shape == (5, 7, 3)


@pytest.mark.parametrize("file_format", ["jpeg", "png", "tiff", "bmp", "gif", "avif", "planes", "16"])
def test_pillows_own_limit_does_not_count_and_stays(
    file_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    if file_format == "planes":
        tifffile.imwrite(path, np.moveaxis(RGB_16, -1, 0).copy(), photometric="rgb", planarconfig="separate")
    elif file_format == "16":
        tifffile.imwrite(path, RGB_16, photometric="rgb")
    else:
        Image.fromarray(RGB).save(path, file_format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    monkeypatch.setattr("colorize.images.photograph.STRIP_PIXELS", 1)
    with pytest.MonkeyPatch.context() as context:
        context.setattr(Image.Image, "crop", uncounted_crop)
        assert read_photograph(path).pixels.shape[:2] == RGB.shape[:2]
    assert Image.MAX_IMAGE_PIXELS == 1


def test_pillows_own_limit_on_webp_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "x.webp")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(ImageError, match="more pixels than Pillow takes in this format; save it as PNG or TIFF"):
        read_photograph(tmp_path / "x.webp")


def uncounted_crop(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """A strip is far below any limit, but not below the 1 pixel of the test."""
    return image.transform((box[2] - box[0], box[3] - box[1]), Image.Transform.AFFINE, (1, 0, box[0], 0, 1, box[1]))


@pytest.mark.parametrize("size", [(60000, 1), (1, 60000)])
def test_long_pictures(size: tuple[int, int], tmp_path: Path) -> None:
    Image.linear_gradient("L").resize(size).save(tmp_path / "x.png")
    assert read_photograph(tmp_path / "x.png").pixels.shape == size[::-1]


def test_a_pipe_or_a_device_is_never_opened(tmp_path: Path) -> None:
    """It may have no end, or none that writes."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "device.jpg"):
        for read in (read_photograph, read_rgb, read_header):
            with pytest.raises(ImageError, match="is a pipe or a device, not a file"):
                read(tmp_path / name)


def test_a_file_far_longer_than_its_picture_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorize.images.read.LONGEST_FILE", 1000, raising=False)
    Image.new("L", (2, 2)).save(tmp_path / "x.png")
    with (tmp_path / "x.png").open("ab") as file:
        file.write(bytes(2000))
    assert read_photograph(tmp_path / "x.png", max_megapixels=None).pixels.shape == (2, 2)
    assert read_photograph(tmp_path / "x.png", max_megapixels=1).pixels.shape == (2, 2)
    with pytest.raises(ImageError, match=r"longer than the 1,600 bytes .* max_megapixels"):
        read_photograph(tmp_path / "x.png", max_megapixels=0.0001)


NAMES = [
    "a b.png",
    "снимок 写真 é.png",
    "two\nlines.png",
    "100%'\"[x].png",
    "-r.png",
    "n" * 251 + ".png",
    os.fsdecode(b"caf\xe9.png"),
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_names(name: str, tmp_path: Path) -> None:
    for pixels in (RGB, RGB_16):
        write_photograph(tmp_path / name, pixels)
        np.testing.assert_array_equal(read_photograph(tmp_path / name).pixels, pixels)
    assert find_photographs(tmp_path) == [tmp_path / name]
    (tmp_path / name).write_bytes(b"bad")
    with pytest.raises(ImageError):
        read_photograph(tmp_path / name)


@pytest.mark.parametrize("size", [(300, 800), (800, 300), (99, 800)])
def test_min_size_decodes_a_smaller_jpeg(size: tuple[int, int], tmp_path: Path) -> None:
    Image.linear_gradient("L").resize(size).save(tmp_path / "x.jpg")
    whole = read_rgb(tmp_path / "x.jpg")
    small = read_rgb(tmp_path / "x.jpg", min_size=100)
    assert whole.shape == (size[1], size[0], 3)
    if min(size) < 200:
        np.testing.assert_array_equal(small, whole)
    else:
        assert 100 <= min(small.shape[:2]) < min(size)
        reference = np.asarray(Image.fromarray(whole).resize(small.shape[1::-1], Image.Resampling.BOX))
        np.testing.assert_allclose(small.astype(int), reference, atol=4)


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    files = {}
    for number in range(8):
        files[tmp_path / f"{number}.png"] = np.roll(RGB_16, number)
        write_photograph(tmp_path / f"{number}.png", np.roll(RGB_16, number))

    def read(_: int) -> list[Array]:
        return [read_photograph(path).pixels for path in files]

    with ThreadPoolExecutor(8) as pool:
        for pictures in pool.map(read, range(8)):
            for pixels, expected in zip(pictures, files.values(), strict=True):
                np.testing.assert_array_equal(pixels, expected)
