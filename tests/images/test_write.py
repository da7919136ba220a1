"""What is written, in every format, and what a failed write leaves behind."""

import errno
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, JpegImagePlugin, features

from colorize.errors import ColorizeError, DiskFullError, ImageError
from colorize.images import WRITABLE, Photograph, read_photograph, read_rgb, write_photograph
from tests.images.samples import ALPHA, GRAY, GRAY_16, RGB, RGB_16, Array, on_white, three


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".PNG"])
@pytest.mark.parametrize("pixels", [RGB, GRAY, RGB[::-1, ::2]], ids=["rgb", "gray", "strided"])
def test_8_bit_round_trip_is_exact(pixels: npt.NDArray[np.uint8], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write_photograph(path, pixels)
    np.testing.assert_array_equal(read_photograph(path).pixels, pixels)
    reference = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read_rgb(path), reference)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("pixels", [GRAY_16, RGB_16, RGB_16[:, ::2]], ids=["gray", "rgb", "strided"])
def test_16_bit_round_trip_is_exact(pixels: Array, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write_photograph(path, pixels)
    np.testing.assert_array_equal(read_photograph(path).pixels, pixels)
    np.testing.assert_array_equal(read_rgb(path), np.round((pixels if pixels.ndim == 3 else three(pixels)) / 257))
    with Image.open(path) as image:  # Pillow sees the same order of channels
        np.testing.assert_array_equal(np.asarray(image), pixels if pixels.ndim == 2 else pixels >> 8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4001, 3), (70, 201)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_agrees_with_tifffile_and_opencv(
    shape: tuple[int, int], dtype: Any, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorize.images.photograph.STRIP_PIXELS", 5000)
    values = np.random.default_rng(2).integers(0, np.iinfo(dtype).max + 1, (*shape, channels), dtype=dtype)
    pixels = values[..., 0] if channels < 3 else values[..., :3]
    alpha = values[..., -1].copy() if channels in (2, 4) else None
    write_photograph(tmp_path / "x.tif", pixels, Photograph(pixels, alpha))
    stored = tifffile.imread(tmp_path / "x.tif").reshape(*shape, -1)
    if stored.shape[2] != channels:  # 16-bit gray with alpha
        assert (channels, dtype) == (2, np.uint16)
        stored = stored[..., 2:]
    np.testing.assert_array_equal(stored, values)
    if channels in (1, 3):
        seen = cv2.imread(str(tmp_path / "x.tif"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(seen if channels == 1 else seen[..., ::-1], pixels)
    again = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.tif").shape[:2], shape)
    assert again.pixels.dtype == dtype
    assert alpha is None or shape == (1, 1) or np.array_equal(again.alpha, alpha)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif"])
def test_lossy_formats(suffix: str, tmp_path: Path) -> None:
    pixels = np.asarray(Image.radial_gradient("L").convert("RGB")) // np.array([1, 2, 3], np.uint8)
    path = tmp_path / f"x{suffix}"
    write_photograph(path, pixels)
    assert np.abs(read_rgb(path).astype(int) - pixels).mean() < 1.5
    with Image.open(path) as image:
        assert image.format == {".webp": "WEBP", ".avif": "AVIF"}.get(suffix, "JPEG")
        if image.format == "JPEG":
            assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4
    content = path.read_bytes()
    write_photograph(path, pixels, quality=40)
    assert path.stat().st_size < len(content)
    write_photograph(path, pixels, quality=96)
    assert path.read_bytes() == content


@pytest.mark.parametrize("suffix", [".jpg", ".avif"])
def test_colour_keeps_its_resolution(suffix: str, tmp_path: Path) -> None:
    columns = np.array([(200, 60, 60), (60, 200, 60)], np.uint8)[np.arange(64) % 2]
    write_photograph(tmp_path / f"x{suffix}", np.ascontiguousarray(np.broadcast_to(columns, (64, 64, 3))))
    np.testing.assert_allclose(read_rgb(tmp_path / f"x{suffix}")[32].astype(int), columns, atol=12)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_lossless_formats_are_compressed(suffix: str, tmp_path: Path) -> None:
    pixels = np.asarray(Image.radial_gradient("L").convert("RGB"))
    write_photograph(tmp_path / f"x{suffix}", pixels)
    assert (tmp_path / f"x{suffix}").stat().st_size < pixels.nbytes / 4


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("pixels", [RGB, GRAY, RGB_16, GRAY_16], ids=["rgb", "gray", "rgb16", "gray16"])
@pytest.mark.parametrize("alpha", [ALPHA, ALPHA.astype(np.uint16) * 257], ids=["8", "16"])
def test_alpha_goes_along(pixels: Array, alpha: Array, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write_photograph(path, pixels, Photograph(pixels, alpha))
    again = read_photograph(path)
    assert again.alpha is not None
    assert again.alpha.dtype == again.pixels.dtype
    deep = again.bit_depth == 16
    assert deep == (pixels.dtype == np.uint16 and suffix in (".png", ".tif"))
    tolerance = 3 if suffix == ".avif" else 0
    np.testing.assert_allclose(again.alpha.astype(int), ALPHA.astype(int) * (257 if deep else 1), atol=tolerance)
    if suffix in (".png", ".tif"):
        gray = pixels.ndim == 2 and again.pixels.ndim == 3
        np.testing.assert_array_equal(again.pixels, three(pixels) if gray else pixels)


@pytest.mark.parametrize("suffix", [".bmp", ".jpg"])
@pytest.mark.parametrize("depth", [1, 257])
def test_formats_without_alpha_lay_it_on_white(depth: int, suffix: str, tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), (10, 100, 200), np.uint16)
    alpha = np.repeat(np.repeat(np.array([[0, 64], [128, 255]], np.uint16), 8, 0), 8, 1)
    dtype = np.uint8 if depth == 1 else np.uint16
    like = Photograph((flat * depth).astype(dtype), (alpha * depth).astype(dtype))
    write_photograph(tmp_path / f"x{suffix}", like.pixels, like)
    again = read_photograph(tmp_path / f"x{suffix}")
    assert again.alpha is None
    np.testing.assert_allclose(
        again.pixels.astype(int), on_white(flat, alpha, 255), atol=4 if suffix == ".jpg" else 0.51
    )


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_16_bits_are_rounded_for_formats_of_8(suffix: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"a{suffix}", RGB_16)
    write_photograph(tmp_path / f"b{suffix}", np.round(RGB_16 / 257).astype(np.uint8))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_writable() -> None:
    assert features.check("avif") == (".avif" in WRITABLE)
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"} <= WRITABLE


@pytest.mark.parametrize(("suffix", "longest"), [(".jpg", 65500), (".webp", 16383), (".avif", 32768)])
def test_sizes_that_a_format_cannot_hold(suffix: str, longest: int, tmp_path: Path) -> None:
    with pytest.raises(
        ImageError, match=rf"holds at most {longest} pixels a side, and the picture has 1 x {longest + 1}"
    ):
        write_photograph(tmp_path / f"x{suffix}", np.zeros((longest + 1, 1), np.uint8))
    assert not list(tmp_path.iterdir())
    write_photograph(tmp_path / f"x{suffix}", np.zeros((longest, 1), np.uint8))
    assert read_photograph(tmp_path / f"x{suffix}").pixels.shape[:2] == (longest, 1)


@pytest.mark.parametrize("quality", [0, -5, 101, 500])
def test_a_quality_that_there_is_not_is_refused(quality: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^quality is {quality}, but must be 1 to 100"):
        write_photograph(tmp_path / "x.jpg", RGB, quality=quality)


def test_write_refuses(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"must end in one of \.jpg"):
        write_photograph(tmp_path / "x.xyz", RGB)
    with pytest.raises(ImageError, match="cannot be written: No such file"):
        write_photograph(tmp_path / "absent/x.png", RGB)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match="cannot be written: Is a directory"):
        write_photograph(tmp_path / "folder.png", RGB)
    wrong: Any
    for wrong in (RGB / 255, RGB[..., :2], RGB[None], RGB.astype(np.int32)):
        with pytest.raises(ValueError, match="not uint8 or uint16"):
            write_photograph(tmp_path / "x.png", wrong)
    for empty in (RGB[:0], GRAY[:, :0]):
        for suffix in (".tif", ".png"):
            with pytest.raises(ValueError, match=r"pixels are empty"):
                write_photograph(tmp_path / f"x{suffix}", empty)
    with pytest.raises(ValueError, match="the alpha of like is"):
        write_photograph(tmp_path / "x.png", RGB[:3], Photograph(RGB, ALPHA))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "PIL.Image.Image.save", "cv2.imencode"])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DiskFullError),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), DiskFullError),
        (OSError(errno.EIO, "Input/output error"), ImageError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full", "quota", "broken disk", "Ctrl-C"],
)
def test_a_failed_write_leaves_the_old_file(
    call: str, error: BaseException, expected: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("x.png" if call == "cv2.imencode" else "x.jpg")
    write_photograph(path, RGB)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(call, fail)
    with pytest.raises(expected):
        write_photograph(path, RGB[::-1])
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_an_error_without_words_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cv2.imencode", fail)
    with pytest.raises(ImageError, match=r"x\.png: cannot be written: MemoryError$"):
        write_photograph(tmp_path / "x.png", RGB)


def test_a_full_disk_is_no_fault_of_the_file() -> None:
    assert issubclass(DiskFullError, ColorizeError)
    assert not issubclass(DiskFullError, ImageError)
