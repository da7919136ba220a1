"""Weights that know a distribution: temperature, samples and uncertainty, and what is refused of others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch import Tensor

from colorize.color.bins import bin_centers
from colorize.errors import ColorizeError
from colorize.images import read_photograph
from colorize.inference.colorizer import Colorizer
from colorize.inference.colors import decode_colors, draw_uncertainty
from colorize.scenery import render_scenes
from colorize.targets import GrayscaleTarget, LabBinsTarget, LabHybridTarget, LabTarget, Target
from colorize.weights.model import Model
from tests.inference.unsure import unsure

TARGETS = [LabBinsTarget(), LabHybridTarget()]


def chroma(picture: Any) -> float:
    return float(np.hypot(*np.moveaxis(rgb2lab(np.asarray(picture))[..., 1:], -1, 0)).mean())


@pytest.fixture
def scene() -> Any:
    return render_scenes([3], 96)[0] // 2 + 64  # away from the limits of the gamut


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_the_lower_the_temperature_the_more_colourful(target: Target) -> None:
    small = torch.from_numpy(render_scenes([3], 32)).permute(0, 3, 1, 2) / 255
    colorizer = unsure(target)
    means = [colorizer.predict_ab(small, temperature=t).norm(dim=1).mean() for t in (2.0, 1.0, 0.4, 0.1)]
    assert means == sorted(means)
    assert means[-1] > 1.1 * means[0]
    own = target.temperature  # type: ignore[attr-defined]
    torch.testing.assert_close(colorizer.predict_ab(small), colorizer.predict_ab(small, temperature=own))


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_temperature_reaches_every_form_of_a_picture(target: Target, scene: Any, tmp_path: Path) -> None:
    colorizer = unsure(target)
    vivid = colorizer.render(scene, temperature=0.1)
    assert chroma(vivid) > chroma(colorizer.render(scene, temperature=2.0))
    assert np.array_equal(np.asarray(colorizer.colorize(scene, temperature=0.1)), vivid)
    Image.fromarray(scene).save(tmp_path / "scene.png")
    colorizer.colorize_file(tmp_path / "scene.png", tmp_path / "vivid.png", temperature=0.1)
    assert np.array_equal(read_photograph(tmp_path / "vivid.png").pixels, vivid)
    batch = colorizer.colorize(torch.from_numpy(scene).permute(2, 0, 1)[None], temperature=0.1)
    assert isinstance(batch, Tensor)
    assert np.abs(batch[0].permute(1, 2, 0).numpy() - vivid / 255).mean() < 0.01


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_sample_gives_equal_areas_one_colour_and_seeds_differ(target: Target) -> None:
    grays = np.array([90, 170, 90, 170, 90], np.uint8)
    photograph = np.repeat(np.repeat(grays, 64)[None], 320, axis=0)
    colorizer = unsure(target, size=320)
    samples = [rgb2lab(np.asarray(picture)) for picture in colorizer.sample(photograph, 4, temperature=0.3)]
    dark, light = slice(64 * 2 + 24, 64 * 2 + 40), slice(64 + 24, 64 + 40)
    colors = []
    for lab in samples:
        inner = lab[160]
        ab = inner[dark, 1:].mean(0)
        assert np.abs(inner[dark, 1:] - ab).max() < 2
        same = inner[slice(64 + 24 + 128, 64 + 40 + 128), 1:]
        assert np.abs(same - inner[light, 1:].mean(0)).max() < 2
        colors.append(ab)
    distances = [np.linalg.norm(one - other) for i, one in enumerate(colors) for other in colors[:i]]
    assert max(distances) > 20
    assert min(distances) > 0.5


def test_the_same_photograph_has_the_same_samples(scene: Any) -> None:
    colorizer = unsure()
    four = colorizer.sample(scene)
    assert len(four) == 4
    two = colorizer.sample(Image.fromarray(scene), 2)
    assert [np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(two, four, strict=False)] == [True, True]
    for picture in four:
        gray = Image.fromarray(scene).convert("L")
        assert np.abs(np.asarray(picture.convert("L")).astype(int) - np.asarray(gray)).max() <= 1
    with pytest.raises(ValueError, match="count is 0, but must be at least 1"):
        colorizer.sample(scene, 0)
    with pytest.raises(ValueError, match=r"a batch .* is for colorize alone"):
        colorizer.sample(torch.rand(1, 3, 8, 8))


def test_a_mirror_image_of_another_size_joins_in_all() -> None:
    colorizer = unsure(tta_scale=0.5)
    small = torch.rand(2, 3, 32, 24, generator=torch.Generator().manual_seed(0))
    colors = colorizer.predict_colors(small, tta=True, samples=3, uncertainty=True)
    assert colors.deviation is not None
    assert (colors.ab.shape, colors.samples.shape) == ((2, 2, 32, 24), (2, 3, 2, 32, 24))
    assert colors.deviation.shape == (2, 1, 32, 24)
    assert colorizer.predict_colors(small, tta=True).samples.shape == (2, 0, 2, 32, 24)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_flip_averaging_is_symmetric_in_samples_and_deviation(target: Target) -> None:
    colorizer = unsure(target)
    small = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    asked: dict[str, Any] = {"samples": 2, "uncertainty": True, "temperature": 0.4}
    plain = colorizer.predict_colors(small, **asked)
    averaged = colorizer.predict_colors(small, tta=True, **asked)
    mirrored = colorizer.predict_colors(small.flip(-1), tta=True, **asked)
    assert averaged.deviation is not None
    assert mirrored.deviation is not None
    assert (averaged.ab.shape, averaged.samples.shape) == ((2, 2, 32, 32), (2, 2, 2, 32, 32))
    assert averaged.deviation.shape == (2, 1, 32, 32)
    for one, other in (
        (averaged.ab, mirrored.ab),
        (averaged.samples, mirrored.samples),
        (averaged.deviation, mirrored.deviation),
    ):
        torch.testing.assert_close(one, other.flip(-1), atol=1e-3, rtol=0)
    assert not torch.allclose(plain.samples, averaged.samples, atol=1e-1)


def test_the_gain_of_chroma_is_of_colours_and_not_of_their_deviation() -> None:
    small = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain, strong = (unsure(chroma_gain=g).predict_colors(small, samples=1, uncertainty=True) for g in (1.0, 1.5))
    torch.testing.assert_close(strong.ab, plain.ab * 1.5)
    torch.testing.assert_close(strong.samples, plain.samples * 1.5)
    torch.testing.assert_close(strong.deviation, plain.deviation)


def test_the_gain_of_the_cast_is_of_what_a_whole_picture_has_in_common() -> None:
    small = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = unsure().predict_colors(small, samples=2, uncertainty=True)
    muted = unsure(chroma_gain=2.0, cast_gain=0.25).predict_colors(small, samples=2, uncertainty=True)
    for one, other in ((plain.ab, muted.ab), (plain.samples, muted.samples)):
        cast = one.mean((-2, -1), keepdim=True)
        torch.testing.assert_close(other, 2 * (one - cast) + 0.5 * cast, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(muted.deviation, plain.deviation)


def test_a_map_is_black_where_it_is_sure_and_of_the_photographs_size() -> None:
    untrained = unsure(spread=0.0)
    model = Model(untrained.target, untrained.network)
    head: Any = model.network.head  # type: ignore[union-attr]
    torch.nn.init.zeros_(head.bias)
    photograph = np.full((70, 41, 3), 99, np.uint16)

    def uncertainty() -> Image.Image:
        return Colorizer(model, untrained.facts, device="cpu").uncertainty(photograph)

    with torch.no_grad():
        white = uncertainty()  # all bins alike
        head.bias[0] = 50.0
        black = uncertainty()
        head.bias[1] = 50.0
        between = uncertainty()
    assert {(m.mode, m.size) for m in (white, black, between)} == {("L", (41, 70))}
    half = float((bin_centers(10)[0] - bin_centers(10)[1]).norm() / 2)
    assert [np.unique(np.asarray(m)).tolist() for m in (white, black, between)] == [[255], [0], [round(half * 5.1)]]


def test_a_map_is_enlarged_bilinearly() -> None:
    drawn = draw_uncertainty(torch.tensor([[[0.0, 25.0, 80.0]]]), 2, 12)
    assert drawn.dtype == np.uint8
    assert drawn.tolist() == [drawn[0].tolist()] * 2
    assert (np.diff(drawn[0].astype(int)) >= 0).all()
    assert (drawn[0, 0], drawn[0, -1]) == (0, 255)
    assert len(np.unique(drawn[0])) > 5


@pytest.mark.parametrize(
    ("target", "asked", "words"),
    [
        (
            LabTarget(),
            {"temperature": 0.4},
            r"temperature=0\.4 cannot be had.*model=lab_hybrid, or saturation=1",
        ),
        (LabTarget(), {"samples": 4}, r"^samples=4 cannot be had.*model=lab_bins or model=lab_hybrid\.$"),
        (LabTarget(), {"samples": 4, "uncertainty": True}, "^samples=4 and uncertainty=True cannot be had"),
        (
            GrayscaleTarget(),
            {"temperature": 1.0},
            r"which take colour away: use .*lab_hybrid\.$",
        ),
        (
            LabBinsTarget(),
            {"temperature": 0.0},
            "temperature=0.0 is not possible: give a number above 0",
        ),
        (LabHybridTarget(), {"temperature": 10.5}, "temperature=10.5 is not possible"),
        (LabHybridTarget(), {"temperature": float("nan")}, "temperature=nan is not possible"),
    ],
)
def test_what_weights_cannot_do_is_refused(target: Target, asked: dict[str, Any], words: str) -> None:
    colorizer = unsure(target)
    with pytest.raises(ColorizeError, match=words):
        colorizer.predict_colors(torch.rand(1, 3, 32, 32), **asked)


@pytest.mark.parametrize("target", [LabTarget(), GrayscaleTarget()], ids=str)
def test_it_is_refused_before_anything_is_read(target: Target, tmp_path: Path) -> None:
    colorizer, missing = unsure(target), tmp_path / "missing.png"
    batch = torch.rand(1, 3, 8, 8)
    with pytest.raises(ColorizeError, match=r"temperature=0\.4 cannot be had"):
        colorizer.colorize(missing, temperature=0.4)
    with pytest.raises(ColorizeError, match=r"temperature=0\.4 cannot be had"):
        colorizer.colorize(batch, temperature=0.4)
    with pytest.raises(ColorizeError, match=r"temperature=0\.4 cannot be had"):
        colorizer.colorize_file(missing, tmp_path / "out.png", temperature=0.4)
    with pytest.raises(ColorizeError, match=r"temperature=0\.4 cannot be had"):
        colorizer.render(np.zeros((8, 8), np.uint8), temperature=0.4)
    with pytest.raises(ColorizeError, match="samples=4 cannot be had"):
        colorizer.sample(missing)
    with pytest.raises(ColorizeError, match="uncertainty=True cannot be had"):
        colorizer.uncertainty(missing)


def test_the_seeds_of_samples_are_1_2_and_so_on() -> None:
    """So that the pictures of one version are those of the next."""
    target, x = LabBinsTarget(), torch.zeros(1, 1, 4, 4)
    prediction = torch.randn(1, 225, 4, 4, generator=torch.Generator().manual_seed(0))
    samples = decode_colors(target, x, prediction, None, 2, False).samples
    expected = torch.stack([target.to_ab(x, prediction, seed=seed) for seed in (1, 2)], dim=1)
    assert torch.equal(samples, expected)
