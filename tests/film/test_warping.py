"""The measure of flicker, on clips whose flicker is known."""

import numpy as np
import pytest

from tests.film.test_cuts import texture
from tests.film.warping import estimate_motion, warping_error


def test_what_follows_the_motion_has_no_error() -> None:
    picture = texture(1)[..., None]
    frames = np.stack([picture[t : t + 40, 2 * t : 2 * t + 60] for t in range(4)])
    flows = np.broadcast_to(np.array([-2, -1], np.float32), (3, 40, 60, 2))
    seen = np.zeros((3, 40, 60), bool)
    seen[:, 1:, 2:] = True
    assert warping_error(frames, flows, seen) == pytest.approx(0, abs=1e-12)
    assert warping_error(frames, flows * 0, seen) > 1e-4
    cast = np.array([0, 0.1, 0, 0.1], np.float32)[:, None, None, None]
    assert warping_error(frames + cast, flows, seen) == pytest.approx(0.01, rel=1e-3)
    assert warping_error(frames + cast, flows, seen & False) == 0


def test_a_motion_that_is_not_known_is_estimated() -> None:
    gray = np.rint(texture(1) * 255).astype(np.uint8)
    grays = np.stack([gray[t : t + 80, 3 * t : 3 * t + 120] for t in range(3)])
    flows, seen = estimate_motion(grays)
    assert flows.shape == (2, 80, 120, 2)
    assert np.abs(flows[:, 10:-10, 10:-10] - [-3, -1]).mean() < 0.2
    assert seen[:, 10:-10, 10:-10].mean() > 0.5
