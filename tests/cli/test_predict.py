"""The command that a training prints, on photographs of every kind of name, folder and fault."""

import csv
import os
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
    broken = photographs / "bro\n\x1b[31mken.jpg"
    broken.write_bytes(b"no JPEG")
    finished = commands(*trained.predict_command(photographs, output))
    broken.unlink()
    assert finished.code == 1
    assert finished.out.splitlines()[-1] == f"0 written, 2 kept, 1 failed: {output}/report.csv"
    assert f"\nfailed: {photographs}/bro\\n\\x1b[31mken.jpg: cannot be read" in finished.err
    assert "What exists is kept: overwrite=true replaces it.\n" in finished.err
    assert "Traceback" not in finished.err
    assert (output / "odd.jpg").read_bytes() == before
    assert not (output / broken.name).exists()


def test_without_a_photograph_the_command_says_how_to_give_one(commands: Any) -> None:
    finished = commands("predict.py")
    assert (finished.code, finished.out) == (1, "")
    expected = "error: No photograph is given: python predict.py PHOTO_OR_FOLDER; python predict.py --help lists"
    assert finished.err.startswith(expected)


def picture(path: Path, size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        Image.new("L", size, 99).save(file, "JPEG" if path.suffix == ".jpg" else "PNG")
    return path


def rows(output: Path) -> dict[str, dict[str, str]]:
    """Of the report, by file name; each photograph has one."""
    with (output / "report.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len({row["file"] for row in found}) == len(found)
    return {Path(row["file"]).name: row for row in found}


def test_one_photograph_of_an_odd_name_has_its_picture_beside_it(trained: Any, commands: Any, tmp_path: Path) -> None:
    photograph = picture(tmp_path / "-my, 'photo' = (1) [x] {é}\n.jpg")
    arguments = [f"checkpoint={trained.best}", f"input={photograph}", "side_by_side=true"]
    finished = commands.succeed("predict.py", *arguments)
    names = [photograph.name.replace(".jpg", end) for end in (".jpg", "_colorized.jpg", "_colorized_side_by_side.jpg")]
    assert sorted(os.listdir(tmp_path)) == sorted(names)  # noqa: PTH208
    assert finished.out == f"1 written, 0 kept, 0 failed: {tmp_path / names[1]}\n"
    with Image.open(tmp_path / names[2]) as both:
        assert both.size == (80, 30)


def test_pictures_of_an_earlier_start_are_left_out_with_a_sentence(trained: Any, commands: Any, tmp_path: Path) -> None:
    album = picture(tmp_path / "album/a.jpg").parent
    commands.succeed(*trained.predict_command(album, album / "colour"))
    finished = commands.succeed(*trained.predict_command(album, album / "colour2"))
    assert f"left out, as pictures of an earlier start (see report.csv there): {album}/colour\n" in finished.err
    assert finished.out == f"1 written, 0 kept, 0 failed: {album}/colour2/report.csv\n"


def test_a_pattern_with_bad_files_in_between(trained: Any, commands: Any, tmp_path: Path) -> None:
    good = {"a b.jpg", "写真.png", "x" * 251 + ".jpg", "line\nbreak.png"}
    for name in good:
        picture(tmp_path / "scans" / name)
    (tmp_path / "scans/empty.jpg").write_bytes(b"")
    (tmp_path / "scans/text.jpg").write_text("words")
    cut = picture(tmp_path / "scans/cut.jpg", (400, 300))
    cut.write_bytes(cut.read_bytes()[:1000])
    picture(tmp_path / "scans/large.png", (1000, 1001))
    raw = os.fsencode(tmp_path) + b"/scans/\xff\xfe.jpg"
    picture(tmp_path / "raw.jpg").rename(os.fsdecode(raw))
    output = tmp_path / "out=1"
    arguments = [f"input={tmp_path}/**/*.*", f"output={output}", "max_megapixels=1", "format=png", "saturation=1.5"]
    finished = commands("predict.py", f"checkpoint={trained.best}", *arguments)
    assert finished.code == 1
    assert "Traceback" not in finished.err
    assert finished.out == f"5 written, 0 kept, 4 failed: {output}/report.csv\n"
    report = rows(output)
    assert {name for name, row in report.items() if row["status"] == "done"} == good | {"\\udcff\\udcfe.jpg"}
    assert "max_megapixels is 1" in report["large.png"]["message"]
    for name in ("empty.jpg", "text.jpg", "cut.jpg", "large.png"):
        assert f"failed: {tmp_path}/scans/{name}: cannot be read" in finished.err
    written = {entry.name for entry in os.scandir(os.fsencode(output / "scans"))}
    assert written == {os.fsencode(Path(name).stem) + b".png" for name in good} | {b"\xff\xfe.png"}


def test_what_would_lose_a_picture_is_refused_before_anything_starts(
    trained: Any, commands: Any, tmp_path: Path
) -> None:
    picture(tmp_path / "album/a.jpg")
    picture(tmp_path / "album/a.png")
    arguments = [f"checkpoint={trained.best}", f"input={tmp_path}/album", "format=png", f"output={tmp_path}/out"]
    finished = commands("predict.py", *arguments)
    assert finished.code == 1
    assert finished.err == (
        f"error: {tmp_path}/album/a.jpg and {tmp_path}/album/a.png would both be written to {tmp_path}/out/a.png: "
        "rename one of them or colour '**/*.jpg' and '**/*.png' into two folders.\n"
    )
    assert not (tmp_path / "out").exists()


def test_two_processes_share_the_photographs_and_one_report(trained: Any, commands: Any, tmp_path: Path) -> None:
    for number in range(11):
        picture(tmp_path / f"album/{number % 3}/{number}.png", (30 + number, 40))
    (tmp_path / "album/bad.png").write_text("words")
    output = tmp_path / "out"
    picture(output / "0/0.png", (1, 1))
    arguments = [f"checkpoint={trained.best}", f"input={tmp_path}/album", f"output={output}"]
    finished = commands("predict.py", *arguments, "trainer.devices=2", "trainer.accelerator=cpu")
    assert finished.code == 1, finished.err
    assert "Traceback" not in finished.err
    assert finished.out == f"10 written, 1 kept, 1 failed: {output}/report.csv\n"
    report = rows(output)
    assert {name: row["status"] for name, row in report.items()} == {
        f"{number}.png": "done" if number else "kept" for number in range(11)
    } | {"bad.png": "failed"}
    for number in range(1, 11):
        with Image.open(output / f"{number % 3}/{number}.png") as image:
            assert (image.mode, image.size) == ("RGB", (30 + number, 40))
    assert sorted(path.name for path in output.iterdir()) == ["0", "1", "2", "report.csv"]
