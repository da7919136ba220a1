"""The command that a training prints, on a folder of photographs."""

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of odd size, and below it a 16-bit gray PNG."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(rough).resize((101, 67), Image.Resampling.BICUBIC).save(folder / "odd.jpg", quality=95)
    (folder / "deep").mkdir()
    ramp = np.linspace(0, 65535, 53 * 91).reshape(53, 91).astype(np.uint16)
    cv2.imwrite(str(folder / "deep/gray.png"), ramp)
    return folder


@pytest.fixture(scope="module")
def predicted(trained: Any, commands: Any, photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(folder of pictures, the process that made them)."""
    output = tmp_path_factory.mktemp("predicted") / "new/pictures"
    return output, commands.succeed(*trained.predict_command(photographs, output))


def test_the_tree_is_the_photographs_tree(predicted: Any) -> None:
    output, finished = predicted
    files = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    assert files == ["deep/gray.png", "odd.jpg", "report.csv"]
    assert finished.out.splitlines()[-1] == f"2 written, 0 kept, 0 failed: {output}/report.csv"


def test_a_jpeg_of_odd_size_keeps_size_and_light(predicted: Any, photographs: Path) -> None:
    output, _ = predicted
    with Image.open(output / "odd.jpg") as image, Image.open(photographs / "odd.jpg") as photograph:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (101, 67))
        ours, theirs = np.asarray(image, float), np.asarray(photograph, float)
    difference = np.asarray(ours).mean() - np.asarray(theirs).mean()
    assert abs(difference) < 25
    weights = (0.299, 0.587, 0.114)
    assert np.corrcoef((ours @ weights).ravel(), (theirs @ weights).ravel())[0, 1] > 0.9


def test_sixteen_bits_gray_become_sixteen_bits_colour(predicted: Any) -> None:
    output, _ = predicted
    picture = cv2.imread(str(output / "deep/gray.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.dtype == np.uint16
    assert picture.shape == (53, 91, 3)
    assert len(np.unique(picture)) > 256  # not eight bits in a wider coat
    assert (picture[..., 0] != picture[..., 2]).any()  # it has colour


def test_the_report_has_a_line_for_each_photograph(predicted: Any, photographs: Path) -> None:
    output, _ = predicted
    with (output / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["status"], row["output"], row["message"]) for row in rows] == [
        (str(photographs / name), "done", str(output / name), "") for name in ("deep/gray.png", "odd.jpg")
    ]
    assert all(float(row["seconds"]) >= 0 for row in rows)


def test_a_second_run_keeps_pictures_and_tells_broken_files(
    predicted: Any, photographs: Path, trained: Any, commands: Any
) -> None:
    output, _ = predicted
    before = (output / "odd.jpg").read_bytes()
    broken = photographs / "broken.jpg"
    broken.write_bytes(b"no JPEG")
    finished = commands(*trained.predict_command(photographs, output))
    broken.unlink()
    assert finished.code == 1
    assert finished.out.splitlines()[-1] == f"0 written, 2 kept, 1 failed: {output}/report.csv"
    assert f"failed: {broken}" in finished.err
    assert "Traceback" not in finished.err
    assert (output / "odd.jpg").read_bytes() == before
    assert not (output / "broken.jpg").exists()
