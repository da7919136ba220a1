"""CIEDE2000 against its paper's pairs and scikit-image, colorfulness against its definition."""

import numpy as np
import numpy.typing as npt
import pytest
import skimage.color
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from colorize.color import colorfulness, delta_e
from tests.color.reference import colorfulness_reference

Array = npt.NDArray[np.float64]
RGB = torch.from_numpy(np.random.default_rng(0).random((8, 3, 16, 16)) ** 2).float()

# Lab, Lab, CIEDE2000: table 1 of Sharma, Wu, Dalal 2005.
SHARMA = np.loadtxt(
    """
    50.0000   2.6772 -79.7751  50.0000   0.0000 -82.7485  2.0425
    50.0000   3.1571 -77.2803  50.0000   0.0000 -82.7485  2.8615
    50.0000   2.8361 -74.0200  50.0000   0.0000 -82.7485  3.4412
    50.0000  -1.3802 -84.2814  50.0000   0.0000 -82.7485  1.0000
    50.0000  -1.1848 -84.8006  50.0000   0.0000 -82.7485  1.0000
    50.0000  -0.9009 -85.5211  50.0000   0.0000 -82.7485  1.0000
    50.0000   0.0000   0.0000  50.0000  -1.0000   2.0000  2.3669
    50.0000  -1.0000   2.0000  50.0000   0.0000   0.0000  2.3669
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0009  7.1792
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0010  7.1792
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0011  7.2195
    50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0012  7.2195
    50.0000  -0.0010   2.4900  50.0000   0.0009  -2.4900  4.8045
    50.0000  -0.0010   2.4900  50.0000   0.0010  -2.4900  4.8045
    50.0000  -0.0010   2.4900  50.0000   0.0011  -2.4900  4.7461
    50.0000   2.5000   0.0000  50.0000   0.0000  -2.5000  4.3065
    50.0000   2.5000   0.0000  73.0000  25.0000 -18.0000 27.1492
    50.0000   2.5000   0.0000  61.0000  -5.0000  29.0000 22.8977
    50.0000   2.5000   0.0000  56.0000 -27.0000  -3.0000 31.9030
    50.0000   2.5000   0.0000  58.0000  24.0000  15.0000 19.4535
    50.0000   2.5000   0.0000  50.0000   3.1736   0.5854  1.0000
    50.0000   2.5000   0.0000  50.0000   3.2972   0.0000  1.0000
    50.0000   2.5000   0.0000  50.0000   1.8634   0.5757  1.0000
    50.0000   2.5000   0.0000  50.0000   3.2592   0.3350  1.0000
    60.2574 -34.0099  36.2677  60.4626 -34.1751  39.4387  1.2644
    63.0109 -31.0961  -5.8663  62.8187 -29.7946  -4.0864  1.2630
    61.2901   3.7196  -5.3901  61.4292   2.2480  -4.9620  1.8731
    35.0831 -44.1164   3.7933  35.0232 -40.0716   1.5901  1.8645
    22.7233  20.0904 -46.6940  23.0331  14.9730 -42.5619  2.0373
    36.4612  47.8580  18.3852  36.2715  50.5065  21.2231  1.4146
    90.8027  -2.0831   1.4410  91.1528  -1.6435   0.0447  1.4441
    90.9257  -0.5406  -0.9208  88.6381  -0.8985  -0.7239  1.5381
     6.7747  -0.2908  -2.4247   5.8714  -0.0985  -2.2286  0.6377
     2.0776   0.0795  -1.1350   0.9033  -0.0636  -0.5514  0.9082
    """.splitlines()
)


def colors(lab: Array) -> Tensor:
    """Lab rows (N, 3) as float32 (1, 3, 1, N)."""
    return torch.from_numpy(lab).float().T[None, :, None]


def lab_floats() -> st.SearchStrategy[list[float]]:
    return st.tuples(st.floats(0, 100), st.floats(-128, 127), st.floats(-128, 127)).map(list)


def test_delta_e_of_the_published_pairs() -> None:
    first, second, expected = SHARMA[:, :3], SHARMA[:, 3:6], SHARMA[:, 6]
    np.testing.assert_allclose(skimage.color.deltaE_ciede2000(first, second), expected, atol=1e-4)
    np.testing.assert_allclose(delta_e(colors(first), colors(second)).flatten(), expected, atol=1e-4)
    np.testing.assert_allclose(delta_e(colors(second), colors(first)).flatten(), expected, atol=1e-4)


def test_delta_e_equals_that_of_skimage() -> None:
    rgb = np.random.default_rng(0).random((2, 50, 100, 3))
    lab1, lab2 = skimage.color.rgb2lab(rgb)
    lab2[25:] = lab1[25:] + (lab2[25:] - 50) / 50  # near colours too
    got = delta_e(*(torch.from_numpy(lab).permute(2, 0, 1)[None] for lab in (lab1, lab2)))
    assert got.shape == (1, 50, 100)
    np.testing.assert_allclose(got[0], skimage.color.deltaE_ciede2000(lab1, lab2), atol=5e-4)


@given(lab_floats(), lab_floats())
def test_delta_e_is_a_symmetric_difference(first: list[float], second: list[float]) -> None:
    x, y = colors(np.array([first])), colors(np.array([second]))
    there, back = delta_e(x, y), delta_e(y, x)
    assert torch.isfinite(there).all()
    assert (there >= 0).all()
    torch.testing.assert_close(there, back, atol=1e-3, rtol=0)
    assert delta_e(x, x).item() == 0


def test_delta_e_of_opposite_hues_takes_the_mean_of_their_angles() -> None:
    hue = np.radians(np.arange(0.5, 180))

    def of_angle(angle: Array) -> Array:
        other = hue + angle
        first = np.stack([np.full_like(hue, 50), np.cos(hue), np.sin(hue)], axis=1)
        second = np.stack([np.full_like(hue, 50), np.cos(other), np.sin(other)], axis=1)
        return delta_e(colors(first), colors(second)).double().numpy()

    opposite, within, beyond = (of_angle(np.full_like(hue, np.pi + more)) for more in (0, -1e-5, 1e-5))
    np.testing.assert_allclose(opposite, within, atol=1e-4)
    assert abs(beyond - within).max() > 0.01  # where a half turn is passed, the formula jumps


def test_delta_e_of_grays() -> None:
    grays = colors(np.array([[0, 0, 0], [50, -0.0, -0.0], [50, 0, -0.0], [100, 1e-30, -1e-30]]))
    white = colors(np.array([[100, 0, 0]])).expand_as(grays)
    expected = skimage.color.deltaE_ciede2000(*(x[0, :, 0].T.double().numpy() for x in (grays, white)))
    np.testing.assert_allclose(delta_e(grays, white).flatten(), expected, atol=1e-4)


def test_colorfulness_is_that_of_the_paper() -> None:
    expected = [colorfulness_reference(rgb) for rgb in RGB.double().numpy()]
    np.testing.assert_allclose(colorfulness(RGB), expected, rtol=1e-5)


def test_colorfulness_in_closed_form() -> None:
    red, green = torch.zeros(2, 3, 1, 2)
    red[0] = 1
    green[1, 0, 1] = 1
    green[0, 0, 0] = 1
    # All red: no deviation, means (255, 127.5). Half red, half green: rg is ±255, yb is 127.5 everywhere.
    expected = torch.tensor([0.3 * 255 * 1.25**0.5, 255 + 0.3 * 127.5])
    torch.testing.assert_close(colorfulness(torch.stack([red, green])), expected)
    assert colorfulness(torch.rand(1, 1, 4, 4).expand(-1, 3, -1, -1)).item() == 0


def test_colorfulness_refuses_gray() -> None:
    with pytest.raises(ValueError, match=r"rgb must be a float tensor of shape \(B, 3, H, W\)"):
        colorfulness(torch.zeros(1, 1, 4, 4))


def test_functions_compute_in_float32() -> None:
    first, second = RGB[:4].bfloat16(), RGB[4:].bfloat16()
    assert torch.equal(delta_e(first, second), delta_e(first.float(), second.float()))
    assert torch.equal(colorfulness(first), colorfulness(first.float()))
