import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor

from colorize.color import lab_to_rgb
from colorize.color.tone import is_colored


def scene(chroma: float, height: int = 128, width: int = 160) -> Tensor:
    """A sky over hills with patches of their own hue, RGB (3, height, width)."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    luminance = 50 + 25 * torch.sin(9 * x + 4 * y) + 15 * torch.cos(23 * y)
    hue = 2 * torch.sin(5 * x) + 3 * (y > 0.45)
    return lab_to_rgb(torch.stack([luminance, chroma * hue.cos(), chroma * hue.sin()])[None])[0]


def gray(picture: Tensor) -> Image.Image:
    return Image.fromarray((picture * 255).byte().permute(1, 2, 0).numpy()).convert("L")


def tensor(picture: Image.Image, quality: int | None = None) -> Tensor:
    if quality is not None:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        picture = Image.open(file)
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 255


@pytest.mark.parametrize("chroma", [8, 15, 40])
@pytest.mark.parametrize("size", [(128, 160), (32, 32), (128, 512), (200, 128)])
def test_colors_are_seen_muted_ones_too(chroma: float, size: tuple[int, int]) -> None:
    assert is_colored(scene(chroma, *size))


@pytest.mark.parametrize("quality", [None, 50])
@pytest.mark.parametrize(
    ("black", "mid", "white"),
    [
        ("#000000", "#808080", "#ffffff"),
        ("#1e0f05", "#8c6e4b", "#fff0d2"),
        ("#001446", "#2864a0", "#e6f5ff"),
        ("#1e141e", "#786e78", "#f5f0f5"),
        ("#0a1432", "#786e6e", "#fff0d2"),
        ("#3c321e", "#a0966e", "#e6d7a0"),
    ],
    ids=["gray", "sepia", "cyanotype", "selenium", "split", "yellowed"],
)
def test_gray_and_tones_are_no_colors(black: str, mid: str, white: str, quality: int | None) -> None:
    toned = ImageOps.colorize(gray(scene(20)), black, white, mid)
    assert not is_colored(tensor(toned, quality))


def test_a_tone_that_clips_is_no_color() -> None:
    values = np.array(gray(scene(20)), dtype=np.float32)[..., None] * [1.35, 1.2, 0.94]
    assert not is_colored(tensor(Image.fromarray(values.clip(0, 255).astype(np.uint8))))


def test_noise_of_a_sensor_is_no_color() -> None:
    noise = 0.03 * torch.randn(3, 128, 160, generator=torch.Generator().manual_seed(0))
    assert not is_colored((tensor(gray(scene(20))) + noise).clamp(0, 1))


def halves(left: tuple[float, float], right: tuple[float, float], share: float = 0.5) -> Tensor:
    """Pictures of one noise of L whose columns, a share of them, have the first ab, the others the second."""
    luminance = 40 + 20 * torch.rand(128, 160, generator=torch.Generator().manual_seed(0))
    ab = torch.where(torch.arange(160) < share * 160, *(torch.tensor(side)[:, None] for side in (left, right)))
    return lab_to_rgb(torch.cat([luminance[None], ab[:, None].expand(-1, 128, -1)])[None])[0]


@pytest.mark.parametrize(("chroma", "colored"), [(1.0, False), (1.4, True)])
def test_colors_begin_at_the_threshold_from_their_mean(chroma: float, colored: bool) -> None:
    assert is_colored(halves((chroma, 0), (-chroma, 0))) is colored
    assert is_colored(halves((0, chroma), (0, -chroma))) is colored


@pytest.mark.parametrize(("share", "colored"), [(0.15, False), (0.35, True)])
def test_colors_fill_a_quarter(share: float, colored: bool) -> None:
    """The rest lies nearer than the threshold to the mean."""
    assert is_colored(halves((2.5, 0), (0, 0), share)) is colored


@pytest.mark.parametrize(("change", "colored"), [(2.8, False), (3.8, True)])
def test_a_tone_may_fade_by_a_tenth_but_not_turn(change: float, colored: bool) -> None:
    along = 0.6 * change, 0.8 * change
    assert is_colored(halves((12 + along[0], 16 + along[1]), (12 - along[0], 16 - along[1]))) is colored
    assert is_colored(halves((12 - along[1], 16 + along[0]), (12 + along[1], 16 - along[0])))


def test_a_part_that_is_paler_or_stronger_than_its_tone_is_a_color() -> None:
    assert is_colored(halves((9.0, 12.0), (12.6, 16.8), share=0.35))
    assert is_colored(halves((12.6, 16.8), (9.0, 12.0), share=0.35))


def test_a_tone_may_bend_several_times_over_l() -> None:
    luminance = torch.linspace(10, 90, 160).expand(128, -1)
    a = 8 * torch.cos(luminance * 2 * torch.pi / 35)
    assert not is_colored(lab_to_rgb(torch.stack([luminance, a, -a])[None])[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 3), (128, 160)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_value_is_no_color_at_any_size(size: tuple[int, int], value: float) -> None:
    assert not is_colored(torch.full((3, *size), value))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 3), (4, 400)])
@pytest.mark.parametrize("hue", ["sepia", "limegreen"])
def test_one_hue_is_no_color_at_any_size(hue: str, size: tuple[int, int]) -> None:
    """Where there are fewer pixels than knots too."""
    assert not is_colored(tensor(Image.new("RGB", size, "#8c6e4b" if hue == "sepia" else hue)))


@pytest.mark.parametrize("side", [4, 8])
def test_tones_and_colors_of_few_pixels_are_told_apart(side: int) -> None:
    values = 0.1 + 0.8 * torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    assert is_colored(values)
    assert not is_colored(torch.stack([values[0] ** 0.8, values[0], values[0] ** 1.3]))


def test_autocast_changes_nothing() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert is_colored(scene(8))
        assert not is_colored(tensor(gray(scene(8))))


@pytest.mark.parametrize("rgb", [torch.zeros(1, 8, 8), torch.zeros(3, 8, 8, dtype=torch.uint8)])
def test_wrong_pictures_are_refused(rgb: Tensor) -> None:
    with pytest.raises(ValueError, match="must be a float tensor"):
        is_colored(rgb)
