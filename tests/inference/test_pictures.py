"""Pictures of all kinds: PIL images, arrays and tensors give what their file gives, or one sentence."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from colorize.errors import ImageError
from colorize.images import read_photograph
from colorize.images.icc import gray_profile
from colorize.inference.pictures import as_photograph, as_pil, as_pixels, batch_as_float
from colorize.scenery import render_scenes
from tests.images.samples import png
from tests.images.test_profiles import cmyk_profile
from tests.inference.unsure import unsure


def test_a_cmyk_image_goes_by_its_profile_as_its_file_does(tmp_path: Path) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    cyan.save(tmp_path / "x.tif", icc_profile=cmyk_profile())
    with Image.open(tmp_path / "x.tif") as image:
        photograph = as_photograph(image, None)
    assert photograph.pixels.max() < 10  # this profile calls it black
    assert photograph.icc_profile is None
    np.testing.assert_array_equal(photograph.pixels, read_photograph(tmp_path / "x.tif").pixels)


@pytest.mark.parametrize(("mode", "premultiplied"), [("LA", "La"), ("RGBA", "RGBa")])
def test_a_premultiplied_image_is_divided(mode: str, premultiplied: str) -> None:
    image = Image.new(mode, (4, 3), (200, 128) if mode == "LA" else (200, 100, 50, 128))
    plain, photograph = as_photograph(image, None), as_photograph(image.convert(premultiplied), None)
    np.testing.assert_allclose(photograph.pixels.astype(int), plain.pixels, atol=2)
    assert photograph.alpha is not None
    assert (photograph.alpha == 128).all()


def test_pixels_may_be_in_either_byte_order() -> None:
    pixels = np.arange(12, dtype=">u2").reshape(3, 4)
    read = as_pixels(pixels)
    assert read.dtype == np.uint16
    assert np.array_equal(read, pixels)


def test_a_tensor_of_bfloat16_is_one_of_floats() -> None:
    pixels = as_photograph(torch.full((1, 3, 4), 0.5, dtype=torch.bfloat16), None).pixels
    assert pixels.shape == (3, 4)
    assert (pixels == 32768).all()


@pytest.mark.parametrize(("value", "words"), [(2.0, "from 2 to 2"), (-0.5, "from -0.5 to"), (float("nan"), "from nan")])
def test_a_batch_outside_of_its_range_is_told_what_it_is(value: float, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^Floats must be in \[0, 1\], but go {words}"):
        batch_as_float(torch.full((1, 3, 4, 4), value))
    with pytest.raises(ValueError, match=r"must be uint8 or float in \[0, 1\], but is torch.int32"):
        batch_as_float(torch.ones(1, 3, 4, 4, dtype=torch.int32))


PNG_MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".png", mode) for mode in PNG_MODES] + [(".tif", mode) for mode in [*PNG_MODES, "CMYK", "LAB"]],
)
def test_an_image_is_what_its_file_is(suffix: str, mode: str, orientation: int, tmp_path: Path) -> None:
    scene = Image.fromarray(render_scenes([7], 24)[0][:20])
    scene.putalpha(Image.linear_gradient("L").resize(scene.size))
    image = scene if mode == "RGBA" else scene.convert("L" if mode == "I;16" else "RGB").convert(mode)
    if mode == "LA":
        image.putalpha(scene.getchannel("A"))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / f"x{suffix}"
    image.save(path, exif=exif, dpi=(300, 200))
    expected = as_photograph(path, None)
    with Image.open(path) as image:
        found = as_photograph(image, None)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.pixels.dtype == expected.pixels.dtype
    assert found.pixels.ndim == (2 if mode in ("1", "L", "LA", "I;16") else 3)
    assert (found.alpha is None) == (expected.alpha is None) == (mode not in ("LA", "RGBA"))
    if found.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected.alpha)
    assert found.dpi == expected.dpi == pytest.approx((200, 300) if orientation == 6 else (300, 200), abs=0.1)


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_gray_image_goes_by_its_profile_as_its_file_does(mode: str, tmp_path: Path) -> None:
    ramp = Image.linear_gradient("L").convert(mode)
    ramp.save(tmp_path / "x.tif", icc_profile=gray_profile(1.0))
    with Image.open(tmp_path / "x.tif") as image:
        found = as_photograph(image, None)
    np.testing.assert_array_equal(found.pixels, read_photograph(tmp_path / "x.tif").pixels)
    assert not np.array_equal(found.pixels, np.asarray(ramp))  # its curve is linear


@pytest.mark.parametrize("depth", [8, 16])
def test_an_image_goes_by_the_gamma_of_its_png(depth: int, tmp_path: Path) -> None:
    ramp = (np.arange(256) << (depth - 8)).astype(f">u{depth // 8}")
    png(tmp_path / "x.png", (256, 1, depth, 0), b"\0" + ramp.tobytes(), (b"gAMA", (100000).to_bytes(4, "big")))
    expected = read_photograph(tmp_path / "x.png").pixels
    assert (expected[0, 1:-1] > ramp[1:-1]).all()
    with Image.open(tmp_path / "x.png") as image:
        np.testing.assert_array_equal(as_photograph(image, None).pixels, expected)


def test_damaged_exif_is_left_out_of_an_image() -> None:
    image = Image.linear_gradient("L")
    image.info["exif"] = b"Exif\0\0no directory"
    np.testing.assert_array_equal(as_photograph(image, None).pixels, np.asarray(image))


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_tiff_image_keeps_its_file_name(is_damaged: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    Image.fromarray(render_scenes([0], 96)[0]).save(path, compression="tiff_lzw")
    if is_damaged:
        data = bytearray(path.read_bytes())
        data[400:5000] = bytes(4600)
        path.write_bytes(data)
    with Image.open(path) as image:
        with pytest.raises(OSError, match="decoder error") if is_damaged else nullcontext():
            as_photograph(image, None)
        assert image.filename == str(path)


def test_the_fourth_channel_of_an_array_is_alpha() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4), dtype=np.uint8)
    photograph = as_photograph(pixels, None)
    assert photograph.alpha is not None
    np.testing.assert_array_equal(photograph.pixels, pixels[..., :3])
    np.testing.assert_array_equal(photograph.alpha, pixels[..., 3])
    assert np.array_equal(np.asarray(as_pil(photograph.pixels, photograph)), pixels)


def test_a_picture_keeps_the_exif_of_its_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Person"
    Image.new("RGB", (4, 3)).save(tmp_path / "x.jpg", exif=exif, dpi=(300, 300))
    photograph = as_photograph(tmp_path / "x.jpg", None)
    picture = as_pil(photograph.pixels, photograph)
    picture.save(tmp_path / "again.jpg", exif=picture.info["exif"])
    with Image.open(tmp_path / "again.jpg") as again:
        assert again.getexif()[ExifTags.Base.Artist] == "A. Person"


def test_a_path_begins_at_home_and_a_tensor_may_need_a_gradient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.new("L", (4, 3), 255).save(tmp_path / "x.png")
    for picture in ("~/x.png", Path("~/x.png"), torch.ones(1, 3, 4, requires_grad=True)):
        assert as_photograph(picture, None).pixels.shape == (3, 4)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (1, 3, 0, 4), (1, 3, 4, 0)])
def test_a_batch_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="A batch must be"):
        batch_as_float(torch.zeros(shape))


def test_a_larger_file_is_taken_when_that_is_asked_for(tmp_path: Path) -> None:
    source, output = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("L", (40, 30)).save(source)
    unsure().colorize(source, max_megapixels=0.0012)
    unsure().colorize_file(source, output, max_megapixels=0.0012)
    with pytest.raises(ImageError, match=r"max_megapixels is 0\.0011: make it smaller"):
        unsure().colorize_file(source, output, max_megapixels=0.0011)
