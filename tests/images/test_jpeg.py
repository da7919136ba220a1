"""JPEG's planes by libjpeg-turbo, beside Pillow's."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from colorize.images import Photograph, Planes, write_photograph
from colorize.images.jpeg import decode_luma
from colorize.scenery import render_scenes
from tests.mutated import mutate

SCENE = Image.fromarray(render_scenes([5], 96)[0][:61, :93])


def encoded(mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    SCENE.convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def luma_by_pillow(data: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(BytesIO(data)) as image:
        image.draft("L", None)
        return np.array(image)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options",
    [{}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}, {"keep_rgb": True}, {"restart_marker_rows": 1}],
)
def test_luma_is_decoded_as_pillow_decodes_it(mode: str, options: dict[str, Any]) -> None:
    data = encoded(mode, **options)
    luma = decode_luma(data, *SCENE.size)
    assert luma is not None
    assert np.array_equal(luma, luma_by_pillow(data))
    assert decode_luma(data, SCENE.width, SCENE.height + 1) is None


def test_what_pillow_refuses_or_reads_otherwise_is_left_to_it() -> None:
    """Of damaged files it gives what Pillow gives, or nothing."""
    choose, good, seen = random.Random(0), [encoded(), encoded("L", progressive=True)], {True: 0, False: 0}
    for number in range(1000):
        data = mutate(good[number % 2], choose)
        luma = decode_luma(data, *SCENE.size)
        seen[luma is not None] += 1
        if luma is not None:
            assert np.array_equal(luma, luma_by_pillow(data))
    assert min(seen.values()) > 100


@pytest.mark.parametrize("size", [(93, 61), (64, 48), (64, 47)])
def test_planes_are_encoded_as_pillow_encodes_them(size: tuple[int, int], tmp_path: Path) -> None:
    """Pillow is given chroma twice as large, of which it takes the mean of each four."""
    luma, cb, cr = (np.asarray(band) for band in SCENE.resize(size).convert("YCbCr").split())
    planes = Planes(luma, cb[::2, ::2], cr[::2, ::2])
    full = [plane.repeat(2, axis=0).repeat(2, axis=1)[: size[1], : size[0]] for plane in (planes.cb, planes.cr)]
    image = Image.merge("YCbCr", [Image.fromarray(plane) for plane in (luma, *full)])
    image.save(tmp_path / "pillow.jpg", quality=96, subsampling="4:2:0")
    write_photograph(tmp_path / "x.jpg", planes, Photograph(luma), quality=96)
    with Image.open(tmp_path / "pillow.jpg") as expected, Image.open(tmp_path / "x.jpg") as seen:
        assert np.array_equal(np.asarray(seen), np.asarray(expected))


def test_the_fast_transform_of_lower_qualities_costs_little_luma(tmp_path: Path) -> None:
    grain = np.random.default_rng(0).normal(0, 4, (480, 640))
    luma = (np.asarray(SCENE.resize((640, 480)).convert("L")) + grain).clip(0, 255).astype(np.uint8)
    gray = np.full((240, 320), 128, np.uint8)
    Image.fromarray(luma).save(tmp_path / "pillow.jpg", quality=95)
    write_photograph(tmp_path / "x.jpg", Planes(luma, gray, gray), Photograph(luma), quality=95)
    errors = []
    for name in ("x.jpg", "pillow.jpg"):
        with Image.open(tmp_path / name) as image:
            image.draft("L", None)
            errors.append(np.square(np.asarray(image).astype(float) - luma).mean() ** 0.5)
    assert errors[0] < 1.06 * errors[1]
