"""The colorizer: any size in, the same size, depth and luminance out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize.errors import ColorizeError
from colorize.images import photograph as photograph_module
from colorize.images import read_photograph, write_photograph
from colorize.inference.colorizer import Colorizer
from colorize.inference.device import choose_device, choose_precision
from colorize.inference.pictures import Picture
from colorize.scenery import render_scenes
from colorize.tasks import GrayscaleTask, LabTask, ReconstructionTask, RGBTask
from colorize.tasks.base import Task
from colorize.weights.model import Model
from tests.images.rgb_profiles import SPACES


def make(kind: type[Task], size: int = 32, **network: object) -> Colorizer:
    torch.manual_seed(0)
    spec = network or {"name": "UNet", "width": 4, "depth": 2}
    task = kind(network=spec, loss={"name": "mse"}, optimizer={"name": "Adam"})
    return Colorizer(Model(task.target, task.network), {"image_size": size}, device="cpu")


@pytest.mark.parametrize("kind", [LabTask, RGBTask, ReconstructionTask, GrayscaleTask])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (301, 3, 3), (50, 41), (33, 64, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_size_and_depth_are_the_photographs(kind: type[Task], shape: tuple[int, ...], dtype: type) -> None:
    photograph = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    picture = make(kind).render(photograph)
    assert picture.dtype == dtype
    assert picture.shape == (shape[:2] if kind is GrayscaleTask else (*shape[:2], 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_network_that_adds_no_colour_gives_the_gray_photograph_back(dtype: type) -> None:
    made = make(LabTask)
    torch.nn.init.zeros_(made.network.head.weight)  # type: ignore[union-attr, arg-type]
    torch.nn.init.zeros_(made.network.head.bias)  # type: ignore[union-attr, arg-type]
    colorizer = Colorizer(Model(made.target, made.network), made.facts, device="cpu")
    white = np.iinfo(dtype).max
    gray = np.linspace(0, white, 60 * 70).reshape(60, 70).astype(dtype)
    picture = colorizer.render(gray).astype(np.int64)
    assert np.abs(picture - gray[..., None].astype(np.int64)).max() <= max(1, white // 8192)


@pytest.mark.parametrize("saturation", [1.0, 9.0])
def test_gray_is_the_photographs_own(saturation: float) -> None:
    colorizer = make(LabTask)
    photograph = render_scenes([3], 96)[0]
    picture = colorizer.render(photograph, saturation=saturation)
    gray, expected = (np.asarray(Image.fromarray(pixels).convert("L")).astype(int) for pixels in (picture, photograph))
    assert np.abs(gray - expected).max() <= 1
    assert not np.array_equal(picture, photograph)


def test_a_jpeg_in_colour_is_coloured_by_its_luma_plane(tmp_path: Path) -> None:
    """The way from plane to plane gives the picture of the general way, within what JPEG loses."""
    colorizer = make(LabTask, size=16)
    assert not colorizer.needs_color
    scene = Image.fromarray(render_scenes([7], 256)[0]).resize((461, 333))
    scene.save(tmp_path / "scene.jpg", quality=95)
    colorizer.colorize_file(tmp_path / "scene.jpg", tmp_path / "fast.jpg")
    photograph = read_photograph(tmp_path / "scene.jpg")
    write_photograph(tmp_path / "general.jpg", colorizer.render(photograph.pixels), photograph)
    with Image.open(tmp_path / "fast.jpg") as fast, Image.open(tmp_path / "general.jpg") as general:
        assert fast.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined] # 4:2:0
        assert general.layer[0][1:3] == (1, 1)  # type: ignore[attr-defined]
        assert np.abs(np.asarray(fast).astype(int) - np.asarray(general)).mean() < 2


@pytest.mark.parametrize("kind", [GrayscaleTask, ReconstructionTask])
def test_a_network_that_sees_colour_gets_it(kind: type[Task]) -> None:
    assert make(kind).needs_color
    task = LabTask(
        luminance="lab",
        network={"name": "UNet", "width": 4, "depth": 2},
        loss={"name": "mse"},
        optimizer={"name": "Adam"},
    )
    assert Colorizer(Model(task.target, task.network), {"image_size": 32}, device="cpu").needs_color
    assert not make(RGBTask).needs_color


def test_the_same_photograph_at_twice_the_size_gets_the_same_colours() -> None:
    colorizer = make(LabTask, size=32)
    small = render_scenes([5], 64)[0]
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    a, b = colorizer.render(small), colorizer.render(large)[::2, ::2]
    assert deltaE_ciede2000(rgb2lab(a), rgb2lab(b)).mean() < 1.5


@pytest.mark.parametrize("kind", [GrayscaleTask, LabTask])
@pytest.mark.parametrize("rows", [7, 16, 29])
def test_strips_give_what_the_whole_gives(kind: type[Task], rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where strips begin at rows that are no multiple of what the network halves."""
    colorizer = make(kind, name="ConvAutoencoder", width=4, depth=3, norm="none")
    photograph = render_scenes([5], 200)[0][:, :90].astype(np.uint16) * 257
    whole = colorizer.render(photograph).astype(int)
    monkeypatch.setattr(photograph_module, "STRIP_PIXELS", rows * 90)
    assert np.abs(colorizer.render(photograph).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("kind", [GrayscaleTask, RGBTask])
def test_a_network_of_fixed_size_takes_any_photograph(kind: type[Task]) -> None:
    colorizer = make(kind, name="ConvNet", image_size=32)
    assert colorizer.render(render_scenes([5], 90)[0][:50]).shape[:2] == (50, 90)


def test_every_kind_of_picture_gives_the_same_colours(tmp_path: Path) -> None:
    colorizer = make(LabTask)
    pixels = render_scenes([7], 48)[0]
    Image.fromarray(pixels).save(tmp_path / "scene.png")
    chw = torch.from_numpy(pixels).permute(2, 0, 1)
    inputs = [tmp_path / "scene.png", str(tmp_path / "scene.png"), Image.fromarray(pixels), pixels, chw]
    pictures = [colorizer.colorize(image) for image in inputs]
    assert all(isinstance(picture, Image.Image) and picture.mode == "RGB" for picture in pictures)
    expected = colorizer.render(pixels)
    for picture in pictures:
        assert np.array_equal(np.asarray(picture), expected)


def test_a_batch_of_tensors_gives_a_batch_of_tensors() -> None:
    colorizer = make(LabTask)
    scenes = render_scenes([7, 8], 48)
    batch = torch.from_numpy(scenes).permute(0, 3, 1, 2)
    pictures = colorizer.colorize(batch)
    assert isinstance(pictures, torch.Tensor)
    assert pictures.shape == (2, 3, 48, 48)
    for picture, scene in zip(pictures, scenes, strict=True):
        expected = colorizer.render(scene) / 255
        assert np.abs(picture.permute(1, 2, 0).numpy() - expected).mean() < 0.01
    torch.testing.assert_close(colorizer.colorize(batch / 255), pictures)
    gray = colorizer.colorize(batch[:, :1])
    assert gray.shape == (2, 3, 48, 48)


def test_transparency_orientation_and_profile_stay(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(render_scenes([7], 48)[0][:30])
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    exif = Image.Exif()
    exif[274] = 6
    image.save(tmp_path / "turned.png", exif=exif, icc_profile=profile, dpi=(300, 300))
    picture = make(LabTask).colorize(tmp_path / "turned.png")
    assert isinstance(picture, Image.Image)
    assert (picture.mode, picture.size) == ("RGBA", (30, 48))
    assert np.array_equal(np.asarray(picture)[..., 3], np.asarray(image.transpose(Image.Transpose.ROTATE_270))[..., 3])
    assert picture.info["icc_profile"] == profile
    assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    from_pil = make(LabTask).colorize(Image.open(tmp_path / "turned.png"))
    assert np.array_equal(np.asarray(from_pil), np.asarray(picture))


def test_a_pil_image_under_a_wide_profile_is_seen_in_srgb(tmp_path: Path) -> None:
    profile = SPACES["Adobe RGB"].profile()
    image = Image.fromarray(render_scenes([7], 48)[0])
    image.info["icc_profile"] = profile
    image.save(tmp_path / "wide.png", icc_profile=profile)
    pictures = [make(LabTask).colorize(source) for source in (image, tmp_path / "wide.png")]
    assert isinstance(pictures[0], Image.Image)
    assert np.array_equal(np.asarray(pictures[0]), np.asarray(pictures[1]))
    assert pictures[0].info["icc_profile"] not in (None, profile)
    plain = make(LabTask).colorize(Image.fromarray(np.asarray(image)))
    assert not np.array_equal(np.asarray(pictures[0]), np.asarray(plain))


def test_a_file_keeps_all_that_it_says_and_its_depth(tmp_path: Path) -> None:
    colorizer = make(LabTask)
    scene = render_scenes([7], 48)[0]
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Person"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    about: dict[str, Any] = {"exif": exif, "dpi": (300, 300), "icc_profile": profile, "xmp": b"<x/>"}
    Image.fromarray(scene).save(tmp_path / "scene.jpg", **about)
    colorizer.colorize_file(tmp_path / "scene.jpg", tmp_path / "colour.jpg", quality=60)
    with Image.open(tmp_path / "colour.jpg") as picture:
        assert picture.getexif()[ExifTags.Base.Artist] == "A. Person"
        assert all(picture.info[name] == about[name] for name in ("dpi", "icc_profile", "xmp"))
    colorizer.colorize_file(tmp_path / "scene.jpg", tmp_path / "fine.jpg", quality=95)
    assert (tmp_path / "colour.jpg").stat().st_size < (tmp_path / "fine.jpg").stat().st_size
    deep = scene.astype(np.uint16) * 257
    write_photograph(tmp_path / "deep.png", deep)
    colorizer.colorize_file(tmp_path / "deep.png", tmp_path / "colour.tif")
    assert np.array_equal(read_photograph(tmp_path / "colour.tif").pixels, colorizer.render(deep))


def test_saturation_scales_chroma_and_0_is_gray() -> None:
    colorizer = make(LabTask)
    scene = render_scenes([7], 48)[0] // 2 + 64
    chroma = [
        np.hypot(*np.moveaxis(rgb2lab(colorizer.render(scene, saturation=factor))[..., 1:], -1, 0)).mean()
        for factor in (0.0, 0.5, 1.0)
    ]
    assert chroma[0] < 0.3
    assert chroma[1] == pytest.approx(chroma[2] / 2, rel=0.1)


def test_flip_averaging_makes_the_colours_symmetric() -> None:
    colorizer = make(LabTask)
    small = torch.rand(1, 3, 32, 32)
    plain, averaged = (colorizer.predict_ab(small, tta) for tta in (False, True))
    mirrored = colorizer.predict_ab(small.flip(-1), tta=True).flip(-1)
    torch.testing.assert_close(averaged, mirrored, atol=1e-4, rtol=0)
    assert not torch.allclose(plain, averaged, atol=1e-2)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 2), np.uint8), r"\(H, W\), \(H, W, 3\) or \(H, W, 4\)"),
        (np.zeros((0, 4), np.uint8), "must have pixels"),
        (np.full((4, 4), 255.0), r"in \[0, 1\]"),
        (np.zeros((4, 4), np.int64), "uint8, uint16 or float"),
        (Image.new("F", (4, 4)), "mode F does not say what is white"),
        (torch.zeros(4, 4), "must be \\(C, H, W\\)"),
        (torch.zeros(1, 2, 4, 4), "A batch must be"),
        (torch.full((1, 3, 4, 4), 2.0), "Floats must be in"),
    ],
)
def test_a_picture_of_another_shape_or_type_is_refused(image: Picture, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(LabTask).colorize(image)


def test_another_object_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a path, a PIL image, an array or a tensor, but is int"):
        make(LabTask).colorize(3)  # type: ignore[arg-type]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="device=cuda:99 is not available here"):
        choose_device("cuda:99")
    with pytest.raises(ColorizeError, match="precision=8 is unknown: use auto, 32, bf16, 16"):
        choose_precision("8", torch.device("cpu"))
    with pytest.raises(ColorizeError, match="There is no checkpoint"):
        Colorizer.load(tmp_path / "none.ckpt")
    with pytest.raises(ColorizeError, match="checkpoint 'landscape' is unknown: did you mean landscapes"):
        Colorizer.load("landscape")
