"""temperature, samples and uncertainty on predict.py's command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.images import Photograph, read_photograph, write_pages
from colorize.scenery import render_scenes
from colorize.targets import LabHybridTarget
from tests.inference.unsure import unsure

pytestmark = pytest.mark.slow


def test_samples_and_a_map_lie_beside_each_picture(commands: Any, tmp_path: Path) -> None:
    colorizer = unsure(LabHybridTarget())
    colorizer.save(tmp_path / "hybrid.safetensors")
    scene = render_scenes([3], 64)[0][:50]
    album, output = tmp_path / "album", tmp_path / "out"
    album.mkdir()
    Image.fromarray(scene).save(album / "scene.png")
    with write_pages(album / "scan.tif") as add:
        for pixels in (scene[..., 0], scene[:40, :, 1].astype(np.uint16) * 257):
            add(pixels, Photograph(pixels))
    command = ["predict.py", f"checkpoint={tmp_path}/hybrid.safetensors", f"input={album}", f"output={output}"]
    command += ["temperature=0.4", "samples=2", "uncertainty=true", "trainer.accelerator=cpu"]
    finished = commands.succeed(*command)
    assert finished.out == f"2 written, 0 kept, 0 failed: {output}/report.csv\n"
    kinds = ("", "_sample1", "_sample2", "_uncertainty")
    names = {f"{name}{kind}{suffix}" for name, suffix in (("scene", ".png"), ("scan", ".tif")) for kind in kinds}
    assert {path.name for path in output.iterdir()} == names | {"report.csv"}
    pictures = [read_photograph(output / f"scene{kind}.png").pixels for kind in kinds]
    likeliest, first, second, drawn = (picture.astype(int) for picture in pictures)
    again = type(colorizer).load(tmp_path / "hybrid.safetensors", "cpu")
    assert np.abs(likeliest - again.render(scene, temperature=0.4)).max() <= 1
    for ours, theirs in zip((first, second), again.sample(scene, 2, temperature=0.4), strict=True):
        assert np.abs(ours - np.asarray(theirs)).max() <= 1
    assert np.abs(first - second).max() > 20
    assert drawn.shape == (50, 64)
    assert len((output / "report.csv").read_text().splitlines()) == 3

    (output / "scan_sample2.tif").unlink()  # as a killed process leaves it
    assert commands.succeed(*command).out == f"1 written, 1 kept, 0 failed: {output}/report.csv\n"
    assert read_photograph(output / "scan_sample2.tif", page=1).pixels.dtype == np.uint16


def test_weights_without_a_distribution_say_so_and_read_nothing(trained: Any, commands: Any, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album/a.png").write_text("no photograph")
    arguments = [f"checkpoint={trained.best}", f"input={tmp_path}/album", f"output={tmp_path}/out"]
    finished = commands("predict.py", *arguments, "temperature=0.4", "samples=4")
    assert finished.code == 1
    assert finished.err == (
        "error: temperature=0.4 and samples=4 cannot be had from these weights, which say one colour for each pixel "
        "and no distribution: use weights trained with model=lab_bins or model=lab_hybrid, or saturation=1.3 for "
        "stronger colour.\n"
    )
    assert not (tmp_path / "out").exists()
