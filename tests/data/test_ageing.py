"""Old photographs: what each effect does to gray pictures, and that the truth is left alone."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from colorize.data import ageing
from colorize.data.ageing import age
from colorize.data.augment import Augment, random_ageing
from colorize.scenery import render_scenes

EFFECTS: dict[str, Callable[[Tensor, Tensor, Generator], Tensor]] = {
    "blur": lambda gray, strength, generator: ageing.blur(gray, strength),
    **{name: getattr(ageing, name) for name in ("vignette", "harden", "tone", "grain", "stain", "fade")},
    **{name: getattr(ageing, name) for name in ("spot", "scratch")},
}


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def full(strength: float = 1.0, count: int = 32) -> Tensor:
    return torch.full((count, 1, 1, 1), float(strength))


def flat(level: float = 0.5, count: int = 32) -> Tensor:
    return torch.full((count, 1, 96, 128), level)


@pytest.fixture(scope="module")
def rgb() -> Tensor:
    return torch.from_numpy(render_scenes(range(32), 64)).permute(0, 3, 1, 2)


def rec601(rgb: Tensor) -> Tensor:
    pictures = (rgb.permute(0, 2, 3, 1) / 255).numpy()
    return torch.from_numpy(np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]))[:, None]


def spread(gray: Tensor) -> Tensor:
    return gray.flatten(1).std(1)


@pytest.mark.parametrize("size", [(64, 64), (8, 8), (33, 47), (300, 20)])
def test_an_old_photograph_is_gray_in_range_and_another_each_time(size: tuple[int, int]) -> None:
    rgb = torch.randint(256, (16, 3, *size), dtype=torch.uint8, generator=seeded())
    generator = seeded()
    first, second = age(rgb, generator), age(rgb, generator)
    assert first.shape == (16, 1, *size)
    assert first.dtype == torch.float32
    assert 0 <= first.min() < first.max() <= 1
    assert not torch.equal(first, second)
    assert torch.equal(first, age(rgb, seeded()))
    torch.testing.assert_close(first, age(rgb / 255, seeded()))


def test_pictures_are_aged_each_in_its_own_way_and_stay_recognizable(rgb: Tensor) -> None:
    change = (age(rgb, seeded()) - rec601(rgb)).flatten(1).abs().mean(1)
    assert 0.02 < change.mean() < 0.12
    assert change.max() < 0.35
    assert len(change.unique()) == len(rgb)
    same = age(rgb[:1].expand(64, -1, -1, -1), seeded())
    assert len(same.flatten(1).unique(dim=0)) > 60


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_of_no_strength_changes_nothing(name: str, rgb: Tensor) -> None:
    gray = rec601(rgb).clamp(min=1e-3)
    torch.testing.assert_close(EFFECTS[name](gray, full(0), seeded()), gray, atol=1e-5, rtol=0)
    half = torch.cat([full(0, 16), full(1, 16)])
    aged = EFFECTS[name](gray, half, seeded())
    torch.testing.assert_close(aged[:16], gray[:16], atol=1e-5, rtol=0)
    assert ((aged[16:] - gray[16:]).abs().amax((1, 2, 3)) > 1e-3).float().mean() > 0.8


def test_an_emulsion_sees_blue_bright_and_red_dark(rgb: Tensor) -> None:
    torch.testing.assert_close(ageing.to_gray(rgb / 255, full(0)), rec601(rgb), atol=1e-6, rtol=0)
    red, blue = (torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, 4, 4) for color in ([1.0, 0, 0], [0, 0, 1.0]))
    assert ageing.to_gray(red, full(1, 1)).mean() < 0.15 < 0.4 < ageing.to_gray(blue, full(1, 1)).mean()
    level = torch.full((32, 3, 4, 4), 0.6)
    torch.testing.assert_close(ageing.to_gray(level, full()), level[:, :1])  # gray stays as it is


def test_blur_lowers_high_frequencies_and_keeps_the_mean() -> None:
    noise = torch.rand(32, 1, 96, 128, generator=seeded())
    blurred = [ageing.blur(noise, full(strength)) for strength in (0, 0.5, 1)]
    sharp, soft, softest = ((picture[..., 1:] - picture[..., :-1]).square().mean() for picture in blurred)
    assert softest < 0.1 * sharp
    assert softest < soft < 0.6 * sharp
    torch.testing.assert_close(blurred[2].mean(), noise.mean(), atol=2e-3, rtol=0)
    torch.testing.assert_close(ageing.blur(flat(), full()), flat())  # up to the border
    line = torch.zeros(1, 1, 128, 128)
    line[..., 64] = 1
    expected = torch.from_numpy(cv2.GaussianBlur(line[0, 0].numpy(), (7, 7), 1.0))
    torch.testing.assert_close(ageing.blur(line, full(1, 1))[0, 0], expected, atol=2e-3, rtol=0)


def test_blur_is_as_wide_at_any_size() -> None:
    edges = [torch.arange(size).ge(size / 2).float().expand(1, 1, size, size) for size in (128, 256)]
    small, large = (ageing.blur(edge, full(1, 1)) for edge in edges)
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(large, 2), small, atol=0.03, rtol=0)


def test_a_vignette_darkens_the_corners() -> None:
    aged = ageing.vignette(flat(0.8), full(), seeded())
    corners = torch.stack([aged[..., y, x] for y in (0, -1) for x in (0, -1)])
    assert (aged[..., 48, 64] > corners.amax(0)).all()
    assert 0.4 < (corners / 0.8).min() < 0.6
    assert (aged <= 0.8).all()


def test_hardening_raises_contrast_and_clips() -> None:
    ramp = torch.linspace(0, 1, 128).expand(32, 1, 96, 128)
    aged = ageing.harden(ramp, full(), seeded())
    clipped = torch.stack([(aged == 0).flatten(1).float().mean(1), (aged == 1).flatten(1).float().mean(1)])
    assert (clipped.sum(0) > 0.3).all()
    assert (clipped.amax(1) > 0.2).all()  # shadows in some, lights in others
    assert (aged.diff(dim=-1) >= 0).all()


def test_a_tone_curve_keeps_black_white_and_their_order() -> None:
    ramp = torch.linspace(0, 1, 128).expand(32, 1, 96, 128)
    aged = ageing.tone(ramp, full(), seeded())
    assert (aged.diff(dim=-1) > 0).all()
    assert aged[..., 0].max() < 0.01
    assert (aged[..., -1] == 1).all()
    middle = aged[:, 0, 0, 64]
    assert middle.min() < 0.4 < 0.6 < middle.max()


def test_grain_is_noise_strongest_in_the_middle_tones() -> None:
    for level, expected in ((0.0, 0.025), (0.5, 0.05), (1.0, 0.025)):
        aged = ageing.grain(flat(level), full(), seeded())
        assert aged.std().item() == pytest.approx(expected, rel=0.02)
        assert aged.mean().item() == pytest.approx(level, abs=1e-3)
    weak = ageing.grain(flat(), full(0.4), seeded())
    assert weak.std().item() == pytest.approx(0.02, rel=0.02)


def test_stains_are_broad() -> None:
    aged = ageing.stain(flat(), full(), seeded())
    assert ((aged - 0.5).abs().amax((1, 2, 3)) > 0.05).all()
    assert -0.15 <= (aged - 0.5).min() < -0.12 < 0.12 < (aged - 0.5).max() <= 0.15
    assert aged.diff(dim=-1).abs().max() < 0.02


def test_fading_lowers_contrast() -> None:
    ramp = torch.linspace(0, 1, 128).expand(32, 1, 96, 128)
    aged = ageing.fade(ramp, full(), seeded())
    torch.testing.assert_close(spread(aged), 0.55 * spread(ramp))
    assert aged.min() >= 0
    assert aged.max() <= 1
    assert aged[..., 0].max() > 0.3  # gray blacks
    assert aged[..., -1].min() < 0.7  # gray whites


def test_spots_are_small_round_light_and_dark() -> None:
    change = ageing.spot(flat(), full(), seeded()) - 0.5
    marked = (change.abs() > 0.1).flatten(1).float().mean(1)
    assert (marked > 0.0005).all()
    assert (marked < 0.02).all()
    assert change.min() < -0.9
    assert change.max() > 0.9
    few = (ageing.spot(flat(), full(0.2), seeded()) - 0.5).abs() > 0.1
    assert few.sum() < 0.4 * (change.abs() > 0.1).sum()
    rows, columns = ((change.abs() > 0.1).any(side).sum() for side in (3, 2))
    assert 0.8 < rows / columns < 1.25  # as high as broad


def test_scratches_are_thin_upright_lines() -> None:
    change = ageing.scratch(flat(), full(), seeded()) - 0.5
    assert change.min() < -0.1 < 0.1 < change.max()
    for picture in change[:, 0]:
        columns = (picture.abs() > 0.05).any(0)
        assert columns.sum() <= 12
        rows = (picture.abs() > 0.05).any(1)
        assert not rows.any() or rows.sum() > columns.sum() / 4
    lengths = (change.abs() > 0.05).sum(2).amax(2).float()
    assert lengths.max() > 60
    assert lengths.min() < 60


def test_about_the_share_is_aged_and_the_rest_is_its_gray(rgb: Tensor) -> None:
    many = rgb.repeat(8, 1, 1, 1)
    seen = random_ageing(many, 0.3, seeded())
    clean = (seen - rec601(many)).abs().amax((1, 2, 3)) < 1e-6
    assert 0.6 < clean.float().mean() < 0.8
    assert ((random_ageing(rgb, 1.0, seeded()) - rec601(rgb)).abs().amax((1, 2, 3)) > 1e-3).float().mean() > 0.9


def test_the_truth_is_left_alone_and_seen_lies_on_it(rgb: Tensor) -> None:
    torch.manual_seed(0)
    batch = {"rgb": rgb, "index": torch.arange(32)}
    assert "seen" not in Augment()(batch)
    aged = Augment(ageing=0.5)(batch)
    torch.manual_seed(0)
    plain = Augment()(batch)
    assert torch.equal(aged["rgb"], plain["rgb"])  # flipped alike
    assert aged["seen"].shape == (32, 1, 64, 64)
    assert ((aged["seen"] - rec601(plain["rgb"])).abs().amax((1, 2, 3)) < 1e-6).sum() > 5


def test_random_numbers_differ_by_rank_and_seed_and_repeat(rgb: Tensor) -> None:
    def seen(seed: int, rank: int) -> Tensor:
        torch.manual_seed(seed)
        augment = Augment(flip=False, ageing=0.5)
        augment.rank = rank
        torch.rand(rank + 1)  # what else a rank draws does not matter
        return torch.stack([augment({"rgb": rgb})["seen"] for _ in range(2)])

    first, other_rank, other_seed = seen(0, 0), seen(0, 1), seen(1, 0)
    assert torch.equal(first, seen(0, 0))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, other_rank)
    assert not torch.equal(first, other_seed)


def test_the_generator_s_state_goes_on_and_torch_s_is_left_alone(rgb: Tensor) -> None:
    torch.manual_seed(0)
    augment = Augment(ageing=0.5, crop_padding=2)
    augment({"rgb": rgb})
    assert augment.generator is not None
    state, of_torch = augment.generator.get_state(), torch.get_rng_state()
    expected = augment({"rgb": rgb})["seen"]
    assert torch.equal(torch.get_rng_state(), of_torch)
    augment.generator.set_state(state)
    assert torch.equal(augment({"rgb": rgb})["seen"], expected)
