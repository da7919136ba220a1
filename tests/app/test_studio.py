"""Photographs through the page, and the same through predict.py's album: the files are the same, byte for byte."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from colorize.album.plan import make_plan
from colorize.album.ranks import Ranks
from colorize.album.settings import Settings
from colorize.album.share import color_album
from colorize.album.stop import Stop
from colorize.app.looks import LONGEST_SIDE, thumbnail
from colorize.app.studio import Asked, Studio, say
from colorize.errors import ColorizeError
from colorize.images import Photograph, write_pages
from colorize.inference.colorizer import Colorizer
from colorize.targets import GrayscaleTarget, LabTarget
from tests.images.samples import png_16
from tests.inference.unsure import unsure

MakeStudio = Callable[..., Studio]
RNG = np.random.default_rng(0)


def asked(**values: Any) -> Asked:
    known = {"weights": "photographs", "weights_file": None, "saturation": 1.3, "tta": True, "samples": 0.0}
    return Asked(**{**known, "uncertainty": False, **values})


def jpeg(path: Path, size: tuple[int, int] = (60, 40)) -> Path:
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[Base.ImageDescription] = "a meadow"
    exif[Base.Orientation] = 6
    noise = RNG.integers(0, 256, (9, 7), dtype=np.uint8)
    Image.fromarray(noise).resize(size).save(path, exif=exif, dpi=(300, 300))
    return path


def deep(path: Path) -> Path:
    png_16(path, RNG.integers(0, 65536, (50, 70), dtype=np.uint16))
    return path


def pages(path: Path) -> Path:
    with write_pages(path) as add:
        for _ in range(3):
            pixels = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
            add(pixels, Photograph(pixels))
    return path


def predict(source: Path, output: Path | None, colorizer: Colorizer, **values: Any) -> None:
    settings = Settings(**values)
    others = (settings.side_by_side, settings.samples, settings.uncertainty)
    plan = make_plan(str(source), output and str(output), settings.format, *others)
    outcome = color_album(plan, colorizer, settings, Ranks("cpu"), Stop())
    assert outcome.failed == []


@pytest.mark.parametrize(("name", "make"), [("photo.jpg", jpeg), ("deep.png", deep), ("pages.tif", pages)])
def test_the_files_are_those_of_predict(make_studio: MakeStudio, tmp_path: Path, name: str, make: Any) -> None:
    photograph, colorizer = make(tmp_path / name), unsure()
    predict(photograph, None, colorizer, saturation=1.3, samples=2, uncertainty=True)
    studio = make_studio(colorizer)
    [(before, job), (seen, ready)] = studio.color_one("a", photograph, asked(samples=2.0, uncertainty=True))
    assert job is None
    assert before == seen
    assert ready is not None
    assert [path.name for path in ready.pictures] == [
        f"{photograph.stem}_colorized{what}{photograph.suffix}" for what in ("_sample1", "_sample2", "_uncertainty", "")
    ]
    for picture in ready.pictures:
        assert picture.read_bytes() == (tmp_path / picture.name).read_bytes(), picture.name
    assert [caption for _, caption in seen.others][:2] == ["Another colouring, 1", "Another colouring, 2"]
    assert len(seen.others) == 3


def test_a_look_has_the_colours_of_the_picture(make_studio: MakeStudio, tmp_path: Path) -> None:
    photograph = jpeg(tmp_path / "large.jpg", (3000, 1200))
    [_, (seen, job)] = make_studio(unsure()).color_one("a", photograph, asked())
    assert job is not None
    with Image.open(seen.before) as before, Image.open(seen.after) as after, Image.open(job.output) as picture:
        assert before.size == after.size == (round(LONGEST_SIDE * 1200 / 3000), LONGEST_SIDE)  # upright
        assert picture.size == (1200, 3000)
        small = np.asarray(picture.resize(after.size), float)
        assert np.abs(small - np.asarray(after, float)).mean() < 4
        assert np.ptp(np.asarray(before, float), axis=2).max() <= 2
    assert seen.facts == "1200 × 3000 pixels of 8 bits"


def test_only_the_first_page_is_shown(make_studio: MakeStudio, tmp_path: Path) -> None:
    [(seen, _), _] = make_studio(unsure()).color_one("a", pages(tmp_path / "pages.tif"), asked())
    assert seen.facts.startswith("3 pages, of which the first is shown")


@pytest.mark.parametrize("target", [GrayscaleTarget(), LabTarget()])
def test_weights_of_other_kinds_are_asked_for_what_they_give(
    make_studio: MakeStudio, tmp_path: Path, target: Any
) -> None:
    """The controls may still say what other weights were asked for."""
    photograph, colorizer = jpeg(tmp_path / "photo.jpg"), unsure(target)
    predict(photograph, None, colorizer, saturation=1.3)
    [_, (seen, job)] = make_studio(colorizer).color_one("a", photograph, asked(samples=3.0, uncertainty=True))
    assert job is not None
    assert seen.others == []
    assert job.output.read_bytes() == (tmp_path / job.output.name).read_bytes()


def test_a_file_that_is_no_picture_is_one_sentence_without_our_folders(make_studio: MakeStudio, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    studio = make_studio(unsure())
    with pytest.raises(ColorizeError) as error:
        list(studio.color_one("a", tmp_path / "notes.jpg", asked()))
    assert studio.plain(str(error.value)).startswith(
        "notes.jpg: cannot be read as a photograph: its content is not JPEG"
    )
    assert list((tmp_path / "files").iterdir()) == []


def test_too_many_pixels_are_refused_by_the_header(make_studio: MakeStudio, tmp_path: Path) -> None:
    studio = make_studio(unsure(), megapixels=0.001)
    with pytest.raises(ColorizeError, match="60 x 40 pixels"):
        list(studio.color_one("a", jpeg(tmp_path / "photo.jpg"), asked()))


def test_a_request_has_its_time(make_studio: MakeStudio, tmp_path: Path) -> None:
    studio = make_studio(unsure(), seconds=1e-9)
    with pytest.raises(ColorizeError, match=r"photo\.jpg: was stopped, or took longer than the 1e-09 seconds"):
        list(studio.color_one("a", jpeg(tmp_path / "photo.jpg"), asked()))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "1"])
def test_a_value_that_the_page_does_not_offer_is_refused(make_studio: MakeStudio, tmp_path: Path, value: Any) -> None:
    with pytest.raises(ColorizeError, match=r"saturation=.* is not possible"):
        list(make_studio(unsure()).color_one("a", jpeg(tmp_path / "photo.jpg"), asked(saturation=value)))


def test_an_archive_holds_what_predict_writes_into_a_folder(make_studio: MakeStudio, tmp_path: Path) -> None:
    photographs = [jpeg(tmp_path / "in/b.jpg"), deep(tmp_path / "in/a.png"), pages(tmp_path / "in/c.tif")]
    colorizer = unsure()
    predict(tmp_path / "in", tmp_path / "out", colorizer, saturation=1.3)
    (tmp_path / "in/notes.txt").write_text("no picture")
    steps: list[tuple[int, int]] = []
    uploads = [*photographs, tmp_path / "in/notes.txt"]
    album = make_studio(colorizer).color_several("a", uploads, asked(samples=2.0), lambda *step: steps.append(step))
    assert album.archive is not None
    with zipfile.ZipFile(album.archive) as archive:
        written = {name: archive.read(name) for name in archive.namelist()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.suffix != ".csv"}
    assert [name for _, name in album.thumbnails] == ["a.png", "b.jpg", "c.tif"]
    assert [sentence.split(":")[0] for sentence in album.failed] == ["notes.txt"]
    assert album.left == 0
    assert steps == [(number, 4) for number in range(5)]


def test_a_film_is_said_to_be_one(make_studio: MakeStudio, tmp_path: Path) -> None:
    film = jpeg(tmp_path / "in/clip.jpg").rename(tmp_path / "in/clip.mp4")
    studio, photograph = make_studio(unsure()), jpeg(tmp_path / "in/photo.jpg")
    album = studio.color_several("a", [film, photograph], asked(), lambda *_: None)
    assert [sentence.split(",")[0] for sentence in album.failed] == ["clip.mp4: is a film by its name"]
    assert [name for _, name in album.thumbnails] == ["photo.jpg"]
    with pytest.raises(ColorizeError, match=r"^clip\.mp4: is a film"):
        list(studio.color_one("a", film, asked()))


def test_stop_keeps_what_is_done(make_studio: MakeStudio, tmp_path: Path) -> None:
    studio = make_studio(unsure())
    photographs = [pages(tmp_path / f"{number}.tif") for number in range(4)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            studio.sessions.stop("a", "several")

    album = studio.color_several("a", photographs, asked(), stop)
    assert [name for _, name in album.thumbnails] == ["0.tif", "1.tif"]
    assert album.left == 2


def test_a_page_that_is_closed_while_weights_are_loaded_has_no_work_done(
    make_studio: MakeStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, colorizer = make_studio(unsure()), unsure()

    def close(*_: Any) -> Colorizer:
        studio.sessions.close("a")
        return colorizer

    monkeypatch.setattr(studio.choices, "load", close)
    album = studio.color_several("a", [jpeg(tmp_path / "photo.jpg")], asked(), lambda *_: None)
    assert (album.thumbnails, album.left) == ([], 1)


@pytest.mark.parametrize("name", ["look", "pictures", "Look.jpg"])
def test_a_photograph_may_be_called_as_our_folders_are(make_studio: MakeStudio, tmp_path: Path, name: str) -> None:
    photograph = jpeg(tmp_path / "photo.jpg").rename(tmp_path / name)
    [_, (_, job)] = make_studio(unsure()).color_one("a", photograph, asked())
    assert job is not None
    assert job.output.stem == f"{photograph.stem}_colorized"


def test_too_many_at_once_are_refused(make_studio: MakeStudio, tmp_path: Path) -> None:
    photograph = jpeg(tmp_path / "photo.jpg")
    with pytest.raises(ColorizeError, match="These are 3 photographs, and the page takes 2 at once"):
        make_studio(unsure(), files=2).color_several("a", [photograph] * 3, asked(), lambda *step: None)


def test_what_is_said_is_text() -> None:
    assert say("<b>.jpg: no", "two", role="alert") == '<div role="alert">&lt;b&gt;.jpg: no<br>two</div>'
    assert say() == ""


def test_a_thumbnail_is_made_of_any_picture(tmp_path: Path) -> None:
    """What is written may be larger than the photographs that data sets take."""
    folder = tmp_path / "thumbnails"
    folder.mkdir()
    Image.new("L", (15_000, 15_000)).save(tmp_path / "large.jpg")
    with Image.open(thumbnail(tmp_path / "large.jpg", folder)) as small:
        assert small.size == (512, 512)
