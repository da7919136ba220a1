import errno
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, JpegImagePlugin

from colorize.errors import ColorizeError, ImageError
from colorize.images import find_photographs, read_photograph, read_rgb, write_image

Array = npt.NDArray[Any]
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
RGB_16 = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
RGBA_16 = RNG.integers(0, 65536, (5, 7, 4), dtype=np.uint16)
GRAY_16 = RGB_16[..., 0].copy()
ODD_NAMES = ["a b.png", "снимок 写真 é.png", "two\nlines.png", "100%'\"[x].png"]


def png_16(path: Path, pixels: Array, *chunks: tuple[bytes, bytes]) -> None:
    """A 16-bit PNG written by hand: gray, gray + alpha, RGB or RGBA, with further chunks."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in parts
        )
    )


def three(gray: Array) -> Array:
    return np.stack([gray] * 3, axis=-1)


def on_white(color: Array, alpha: Array, white: int) -> Array:
    opacity = alpha[..., None] / white
    return color * opacity + white * (1 - opacity)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("1", ".png"),
        ("L", ".png"),
        ("L", ".bmp"),
        ("P", ".png"),
        ("P", ".gif"),
        ("RGB", ".png"),
        ("RGB", ".tiff"),
        ("RGB", ".webp"),
        ("CMYK", ".tif"),
        ("CMYK", ".jpg"),
        ("YCbCr", ".tif"),
        ("RGB", ".JPG"),
    ],
)
def test_opaque_modes(mode: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    Image.fromarray(RGB).convert(mode).save(path)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    read = read_rgb(path)
    assert read.dtype == np.uint8
    assert read.flags.writeable
    np.testing.assert_array_equal(read, expected)
    photograph = read_photograph(path)
    assert photograph.bit_depth == 8
    np.testing.assert_array_equal(photograph.pixels, expected)


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", ".png"), ("RGBA", ".tif"), ("LA", ".png"), ("PA", ".tif")])
def test_alpha_is_laid_on_white(mode: str, suffix: str, tmp_path: Path) -> None:
    alpha = np.linspace(0, 255, 35).astype(np.uint8).reshape(5, 7)
    image = Image.fromarray(RGB).convert("L" if mode == "LA" else "P" if mode == "PA" else "RGB")
    color = np.asarray(image.convert("RGB"))
    image = image.convert(mode)
    image.putalpha(Image.fromarray(alpha))
    path = tmp_path / f"x{suffix}"
    image.save(path)
    with Image.open(path) as saved:
        assert saved.mode == mode
    np.testing.assert_allclose(read_rgb(path), on_white(color, alpha, 255), atol=1)


@pytest.mark.parametrize(("mode", "suffix"), [("P", ".png"), ("P", ".gif"), ("L", ".png"), ("1", ".png")])
def test_a_transparent_value_becomes_white(mode: str, suffix: str, tmp_path: Path) -> None:
    values = np.arange(35).reshape(5, 7) % 2
    image = Image.fromarray((values * 255).astype(np.uint8)).convert(mode)
    if mode == "P":
        image = Image.fromarray(values.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 10, 20, 30])
    path = tmp_path / f"x{suffix}"
    image.save(path, transparency=0)
    seen = (10, 20, 30) if mode == "P" else (255, 255, 255)
    np.testing.assert_array_equal(read_rgb(path), np.where(values[..., None] == 1, seen, 255))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("pixels", [GRAY_16, RGB_16], ids=["gray", "rgb"])
def test_16_bit_round_trip_is_exact(pixels: Array, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write_image(path, pixels)
    photograph = read_photograph(path)
    assert photograph.bit_depth == 16
    expected = pixels if pixels.ndim == 3 else three(pixels)
    np.testing.assert_array_equal(photograph.pixels, expected)
    np.testing.assert_array_equal(read_rgb(path), np.round(expected / 257))
    with Image.open(path) as image:  # Pillow, which did not write it, sees the same order of channels
        np.testing.assert_array_equal(np.asarray(image), pixels if pixels.ndim == 2 else pixels >> 8)


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": True},
        {"photometric": "miniswhite"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_16_bit_gray_tiffs(options: dict[str, Any], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", GRAY_16, **({"photometric": "minisblack"} | options))
    expected = 65535 - GRAY_16 if options.get("photometric") == "miniswhite" else GRAY_16
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, three(expected))


def test_12_bit_gray_tiff_reaches_white(tmp_path: Path) -> None:
    tags = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    pixels = bytes([0xFF, 0xF8, 0x00])  # 4095 and 2048
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    (tmp_path / "x.tif").write_bytes(b"II*\0" + struct.pack("<I", 12) + pixels + b"\0" + ifd)
    gray = read_photograph(tmp_path / "x.tif").pixels[0, :, 0]
    assert gray.tolist() == [65535, round(2048 / 4095 * 65535)]


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bit_png_with_alpha(channels: int, tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", RGBA_16[..., -channels:])
    color = RGBA_16[..., :3] if channels == 4 else three(RGBA_16[..., 2])
    photograph = read_photograph(tmp_path / "x.png")
    assert photograph.bit_depth == 16
    np.testing.assert_allclose(photograph.pixels, on_white(color, RGBA_16[..., 3], 65535), atol=0.51)


@pytest.mark.parametrize("pixels", [GRAY_16, RGB_16], ids=["gray", "rgb"])
def test_16_bit_png_with_a_transparent_value(pixels: Array, tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", pixels, (b"tRNS", np.asarray(pixels[2, 3], ">u2").tobytes()))
    expected = (pixels if pixels.ndim == 3 else three(pixels)).copy()
    expected[2, 3] = 65535
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.png").pixels, expected)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_16_bit_tiff_with_a_fourth_channel(kind: str, tmp_path: Path) -> None:
    color, alpha = RGBA_16[..., :3], RGBA_16[..., 3]
    stored = np.round(color * (alpha[..., None] / 65535)) if kind == "assocalpha" else color
    pixels = np.dstack([stored, alpha]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", extrasamples=[kind])
    expected = color if kind == "unspecified" else on_white(color, alpha, 65535)
    np.testing.assert_allclose(read_photograph(tmp_path / "x.tif").pixels, expected, atol=1)


@pytest.mark.parametrize(
    ("stored", "white"),
    [
        ((GRAY_16 / 65535).astype(np.float32), 1),
        ((GRAY_16 // 257).astype(np.float32), 255),
        (GRAY_16.astype(np.float32), 65535),
        ((GRAY_16 // 257).astype(np.int32), 255),
        (GRAY_16.astype(np.int32), 65535),
    ],
    ids=["F to 1", "F to 255", "F to 65535", "I to 255", "I to 65535"],
)
def test_32_bit_gray(stored: Array, white: int, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", stored)
    photograph = read_photograph(tmp_path / "x.tif")
    assert photograph.bit_depth == 16
    np.testing.assert_allclose(photograph.pixels, three(stored) * (65535 / white), atol=0.51)
    np.testing.assert_allclose(read_rgb(tmp_path / "x.tif"), three(stored) * (255 / white), atol=0.51)


@pytest.mark.parametrize("value", [-1.0, 1e6, np.nan, np.inf])
def test_32_bit_gray_of_an_unknown_range_is_refused(value: float, tmp_path: Path) -> None:
    gray = np.full((4, 4), 0.5, np.float32)
    gray[1, 1] = value
    tifffile.imwrite(tmp_path / "x.tif", gray)
    with pytest.raises(ImageError, match=r"its values go from .*8 or 16 bits"):
        read_rgb(tmp_path / "x.tif")


def test_16_bit_planes_are_refused(tmp_path: Path) -> None:
    planes = np.moveaxis(RGB_16, -1, 0).copy()
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(ImageError, match="interleaved"):
        read_rgb(tmp_path / "x.tif")


STORE: dict[int, Callable[[Array], Array]] = {  # what a camera held that way writes
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: np.rot90(upright, 2),
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORE)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "lzw.tif", "png 16", "tif 16", "gray png 16"])
def test_orientation(kind: str, orientation: int, tmp_path: Path) -> None:
    upright = RGB.repeat(16, 0).repeat(16, 1)
    if kind.startswith("gray"):
        upright = three(upright[..., 0])
    stored = np.ascontiguousarray(STORE[orientation](upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"x.{kind.split()[-2] if kind.endswith('16') else kind}"
    if kind.endswith("png 16"):
        pixels = stored[..., 0] if kind.startswith("gray") else stored
        png_16(path, pixels.astype(np.uint16) * 257, (b"eXIf", exif.tobytes()[6:]))
    elif kind == "tif 16":
        tag = (0x0112, "H", 1, orientation, True)
        tifffile.imwrite(path, stored.astype(np.uint16) * 257, photometric="rgb", extratags=[tag])
    else:
        options: dict[str, dict[str, Any]] = {
            "lzw.tif": {"compression": "tiff_lzw"},
            "webp": {"lossless": True},
            "jpg": {"quality": 100, "subsampling": 0},
        }
        Image.fromarray(stored).save(path, exif=exif, **options.get(kind, {}))
    read = read_rgb(path)
    assert read.shape == upright.shape
    np.testing.assert_allclose(read.astype(int), upright, atol=4 if kind == "jpg" else 0)
    assert read_photograph(path).bit_depth == (16 if kind.endswith("16") else 8)


def test_a_damaged_exif_block_does_not_lose_the_photograph(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "x.png", exif=b"Exif\0\0not a TIFF header")
    with Image.open(tmp_path / "x.png") as image, pytest.raises(SyntaxError):
        image.getexif()
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png"), RGB)


NOISE = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)


def encoded(file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(NOISE).save(buffer, file_format, **options)
    return buffer.getvalue()


BROKEN = {
    "half.jpeg": encoded("jpeg")[:2000],
    "half.png": encoded("png")[:6000],
    "flipped.png": encoded("png")[:2000] + b"\0\0\0\0" + encoded("png")[2004:],
    "empty.jpg": b"",
    "text.jpg": b"not a picture\n" * 100,
    "pixmap.jpg": encoded("ppm"),  # a format of Pillow's that is none of ours
    "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "bomb.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0"
    + struct.pack(">I", zlib.crc32(b"IHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0")),
}


@pytest.mark.parametrize("read", [read_rgb, read_photograph])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(ImageError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be read as a photograph: ")
    assert "<_io" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("jpeg", {}),
        ("jpeg", {"progressive": True}),
        ("png", {}),
        ("tiff", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("webp", {"lossless": True}),
        ("bmp", {}),
        ("gif", {}),
    ],
)
@pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Corrupt EXIF")
def test_a_cut_file_is_refused_or_whole(file_format: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = encoded(file_format, **options)
    path = tmp_path / f"x.{file_format}"
    path.write_bytes(data)
    whole = read_rgb(path)
    refused = 0
    for length in [*range(1, len(data), len(data) // 25), *range(len(data) - 30, len(data))]:
        path.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_rgb(path), whole)
        except ImageError:
            refused += 1
    assert refused >= 25


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, reason in {"empty.jpg": "empty", "text.jpg": "not JPEG, PNG", "half.jpeg": "truncated"}.items():
        (tmp_path / name).write_bytes(BROKEN[name])
        with pytest.raises(ImageError, match=reason):
            read_rgb(tmp_path / name)
    with pytest.raises(ImageError, match="Is a directory"):
        read_rgb(tmp_path)
    with pytest.raises(ImageError, match="No such file"):
        read_rgb(tmp_path / "absent.jpg")

    def refuse(path: Path) -> bytes:  # root may read everything, so that chmod would not do
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ImageError, match=r"Permission denied$"):
        read_rgb(tmp_path / "empty.jpg")


def test_size_limit_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)  # 35 pixels: a warning in Pillow
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_rgb(tmp_path / "x.png").shape == RGB.shape
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # more than twice the limit: an error
    with pytest.raises(ImageError, match="exceeds limit"):
        read_rgb(tmp_path / "x.png")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(name: str, tmp_path: Path) -> None:
    for pixels in (RGB, RGB_16):
        write_image(tmp_path / name, pixels)
        np.testing.assert_array_equal(read_photograph(tmp_path / name).pixels, pixels)
    assert find_photographs(tmp_path) == [tmp_path / name]


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


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_find_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.PNG", "b/1.jpg", "a.JPeG", "c d/é.webp", "folder.jpg/x.tif", "notes.txt")
    touch(tmp_path, ".hidden.jpg", ".cache/x.jpg", "b/._1.jpg", "jpg", "x.jpg.txt")
    found = [path.relative_to(tmp_path).as_posix() for path in find_photographs(tmp_path)]
    assert found == ["a.JPeG", "b/1.jpg", "b/2.PNG", "c d/é.webp", "folder.jpg/x.tif"]


def test_find_photographs_follows_links_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/x.jpg", "root/a/y.jpg")
    (tmp_path / "root/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/a/loop").symlink_to(tmp_path / "root")
    assert find_photographs(tmp_path / "root") == [tmp_path / "root/a/y.jpg", tmp_path / "root/link/x.jpg"]


def test_find_photographs_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ColorizeError, match="there is no such folder"):
        find_photographs(tmp_path / "absent")
    touch(tmp_path, "a.txt", "b/c.csv", "b/.d.jpg")
    with pytest.raises(ColorizeError, match="must be a folder"):
        find_photographs(tmp_path / "a.txt")
    with pytest.raises(ColorizeError, match=r"has no photograph .*only 2 files of other kinds"):
        find_photographs(tmp_path)

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ColorizeError, match="cannot be listed: Permission denied"):
        find_photographs(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".PNG"])
@pytest.mark.parametrize("pixels", [RGB, RGB[..., 0], RGB[::-1, ::2]], ids=["rgb", "gray", "strided"])
def test_8_bit_round_trip_is_exact(pixels: npt.NDArray[np.uint8], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write_image(path, pixels)
    np.testing.assert_array_equal(read_rgb(path), pixels if pixels.ndim == 3 else three(pixels))
    reference = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read_rgb(path), reference)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats(suffix: str, tmp_path: Path) -> None:
    pixels = np.asarray(Image.radial_gradient("L").convert("RGB")) // np.array([1, 2, 3], np.uint8)
    path = tmp_path / f"x{suffix}"
    write_image(path, pixels)
    assert np.abs(read_rgb(path).astype(int) - pixels).mean() < 1.5
    with Image.open(path) as image:
        assert image.format == ("WEBP" if suffix == ".webp" else "JPEG")
        if suffix != ".webp":
            assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_16_bits_need_a_format_that_holds_them(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot hold 16 bits.*\.png, \.tif, \.tiff"):
        write_image(tmp_path / f"x{suffix}", RGB_16)
    assert not list(tmp_path.iterdir())


def test_write_refuses(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"must end in one of \.jpg"):
        write_image(tmp_path / "x.xyz", RGB)
    with pytest.raises(ImageError, match="cannot be written: No such file"):
        write_image(tmp_path / "absent/x.png", RGB)
    with pytest.raises(ImageError, match="cannot be written"):  # JPEG's longest side is 65535
        write_image(tmp_path / "x.jpg", np.zeros((1, 65536, 3), np.uint8))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match="cannot be written: Is a directory"):
        write_image(tmp_path / "folder.png", RGB)
    wrong: Any
    for wrong in (RGB / 255, RGB[..., :2], RGB[None], RGB.astype(np.int32)):
        with pytest.raises(ValueError, match="not uint8 or uint16"):
            write_image(tmp_path / "x.png", wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "PIL.Image.Image.save", "cv2.imencode"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(
    call: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    write_image(path, RGB)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(call, fail)
    with pytest.raises(ImageError if isinstance(error, OSError) else KeyboardInterrupt):
        write_image(path, RGB_16 if call == "cv2.imencode" else RGB[::-1])
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before
