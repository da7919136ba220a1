"""The picture of a comparison."""

import numpy as np

from colorize.compare.picture import Entry, draw


def test_a_label_is_no_formula() -> None:
    pictures = {name: np.zeros((1, 16, 16, 3), np.uint8) for name in ("input", "prediction", "truth")}
    label = "root=${x^^y} ${z}"
    assert draw([Entry([label], label, pictures, {"test/psnr": 20.0})]).startswith(b"\x89PNG")
