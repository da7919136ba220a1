"""The weights that ship: there, small, described, and what they promise about luminance, size and colour."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize import Colorizer
from colorize.scenery import render_scenes
from colorize.weights.shipped import DEFAULT, FOLDER, shipped
from tests.wheel import build_wheel


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load(device="cpu")


def figures(card: str) -> dict[str, dict[str, str]]:
    """The first table of a card: the metrics of each row."""
    table = next(part for part in card.split("\n\n") if part.startswith("|"))
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


@pytest.mark.parametrize("name", sorted(shipped()))
def test_each_has_a_card_with_its_own_figures(name: str) -> None:
    path = shipped()[name]
    assert path.stat().st_size < 20e6
    metrics = Colorizer.load(name, device="cpu").facts["metrics"]
    table = figures(path.with_suffix(".md").read_text(encoding="utf-8"))
    for row, measured in ((name, "test"), ("gray floor", "floor")):
        assert table[row].keys() >= {"mse", "psnr", "mse_ratio", "delta_e", "colorfulness_ratio"}
        for metric, text in table[row].items():
            unit = 10.0 ** -len(text.partition(".")[2])  # of its last digit
            assert float(text) == pytest.approx(metrics[f"{measured}/{metric}"], abs=0.51 * unit), (row, metric)


def test_every_file_of_the_folder_ships() -> None:
    assert DEFAULT in shipped()
    assert {path.suffix for path in FOLDER.iterdir() if path.is_file()} == {".py", ".safetensors", ".md"}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_made_gray_again_the_picture_is_the_photograph(colorizer: Colorizer, dtype: type[np.unsignedinteger]) -> None:
    """Rec.601, rounded: within 1 of 255, or of 65,535."""
    scene = np.asarray(Image.fromarray(render_scenes([3], 200)[0]).convert("L")).astype(np.float64)
    gray = np.round(scene / 255 * np.iinfo(dtype).max).astype(dtype)
    picture = colorizer.render(gray)
    assert picture.dtype == dtype
    again = np.round(picture.astype(np.float64) @ (0.299, 0.587, 0.114))
    assert np.abs(again - gray).max() <= 1
    assert np.ptp(picture.astype(np.int64), axis=2).max() > 0.05 * np.iinfo(dtype).max  # it is coloured


@pytest.mark.parametrize("number", [3, 11])
def test_the_same_picture_at_three_sizes_has_the_same_colours(colorizer: Colorizer, number: int) -> None:
    small = Image.fromarray(render_scenes([number], 240)[0])
    pictures = []
    for factor in (1, 2, 4):
        size = (240 * factor, 240 * factor)
        picture = Image.fromarray(colorizer.render(np.asarray(small.resize(size, Image.Resampling.BICUBIC))))
        pictures.append(rgb2lab(np.asarray(picture.resize((240, 240), Image.Resampling.BOX))))
    for larger in pictures[1:]:
        assert deltaE_ciede2000(pictures[0], larger).mean() < 1.5


def test_it_adds_colour_and_none_that_is_wild(colorizer: Colorizer) -> None:
    for scene in render_scenes([1, 2, 3, 4], 160):
        gray = np.asarray(Image.fromarray(scene).convert("L"))
        chroma = np.hypot(*np.moveaxis(rgb2lab(colorizer.render(gray))[..., 1:], -1, 0))
        assert chroma.mean() > 4
        assert chroma.max() < 90


@pytest.mark.slow
def test_an_installed_wheel_has_them(tmp_path: Path) -> None:
    """The built package alone, without this repository, colours a picture with no network."""
    built = build_wheel(tmp_path)
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, built]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    code = """
import socket, sys
def refuse(*_): raise OSError("no network")
socket.socket.connect = refuse
import colorize, numpy
from colorize import Colorizer
assert colorize.__file__.startswith(sys.argv[1]), colorize.__file__
for name in ("photographs", "landscapes", "cifar10"):
    assert Colorizer.load(name).colorize(numpy.full((40, 50), 128, numpy.uint8)).size == (50, 40)
"""
    command = [sys.executable, "-c", code, str(site)]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PYTHONPATH": str(site), "PATH": ""}, timeout=120)
