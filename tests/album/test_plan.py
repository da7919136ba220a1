"""Which photograph becomes which picture, and what is refused before anything is written."""

import os
from pathlib import Path

import pytest

from colorize.album import plan as module
from colorize.album.plan import Job, Plan, make_plan, remove_leftovers
from colorize.errors import ColorizeError


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Names only: planning opens no photograph."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "sub/b.jpg", "sub/deep/c d ä.TIFF", "sub/notes.txt"):
        write(tmp_path / "album" / name)
    return tmp_path / "album"


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def targets(found: Plan, folder: Path) -> set[str]:
    return {str(job.output.relative_to(folder)) for job in found.jobs}


def test_a_folder_keeps_its_tree_names_and_formats(album: Path) -> None:
    found = make_plan("album", "out")
    assert targets(found, Path("out")) == {"a.png", "sub/b.jpg", "sub/deep/c d ä.TIFF"}
    assert found.folder == Path("out")


@pytest.mark.parametrize(
    ("name", "file_format", "expected"),
    [
        ("a.gif", None, "a.png"),
        ("a.heic", None, "a.jpg"),
        ("a", None, "a.png"),
        ("a.JPEG", "jpg", "a.JPEG"),
        ("a.tif", "tiff", "a.tif"),
        ("a.jpg", "tiff", "a.tiff"),
        ("a.b.jpg", "png", "a.b.png"),
        ("a.bmp", "webp", "a.webp"),
        ("-a\n=,[.png", None, "-a\n=,[.png"),
    ],
)
def test_the_name_of_a_picture(tmp_path: Path, name: str, file_format: str | None, expected: str) -> None:
    file = write(tmp_path / name)
    assert make_plan(str(file), str(tmp_path / "out"), file_format).jobs == [Job(file, tmp_path / "out" / expected)]


def test_one_photograph_has_its_picture_beside_it_or_where_output_says(album: Path) -> None:
    source = "album/a.png"
    assert make_plan(source) == Plan([Job(Path(source), Path("album/a_colorized.png"))], None)
    assert make_plan(source, file_format="jpg").jobs[0].output == Path("album/a_colorized.jpg")
    assert make_plan(source, "new/b.JPG") == Plan([Job(Path(source), Path("new/b.JPG"))], None)
    assert make_plan(source, "new") == Plan([Job(Path(source), Path("new/a.png"))], Path("new"))
    Path("odd.png").mkdir()
    assert make_plan(source, "odd.png").jobs[0].output == Path("odd.png/a.png")
    both = make_plan(source, "b.jpg", side_by_side=True).jobs[0]
    assert both.pictures == [Path("b_side_by_side.jpg"), Path("b.jpg")]


def test_signs_of_patterns_in_names_of_folders_are_plain(album: Path) -> None:
    write(album / "[1920] *?/deep/a[1].png")
    assert targets(make_plan("album/[1920] *?/**/*.png", "out"), Path("out")) == {"deep/a[1].png"}
    assert targets(make_plan("album/[1920] *?/deep/a[[]1].png", "out"), Path("out")) == {"a[1].png"}
    assert targets(make_plan("album/[!a]*/*/*.png", "out"), Path("out")) == {"[1920] *?/deep/a[1].png"}


def test_a_pattern_keeps_the_tree_below_its_plain_part(album: Path) -> None:
    assert targets(make_plan("album/sub/*.jpg", "out"), Path("out")) == {"b.jpg"}
    assert targets(make_plan("album/**/*", "out"), Path("out")) == {"a.png", "sub/b.jpg", "sub/deep/c d ä.TIFF"}
    assert targets(make_plan("album/s*/*.[jp]*", "out"), Path("out")) == {"sub/b.jpg"}
    assert targets(make_plan(f"{album}/?.png", "out"), Path("out")) == {"a.png"}
    write(album / "odd[1]/a.png")
    assert targets(make_plan("album/odd[1]", "out"), Path("out")) == {"a.png"}  # a folder of that name comes first


def test_links_in_a_circle_are_read_once(album: Path) -> None:
    (album / "sub/deep/again").symlink_to(album)
    assert len(make_plan("album/**/*", "out").jobs) == 3
    assert len(make_plan("album", "out").jobs) == 3


def test_every_picture_lies_below_the_output_folder(album: Path, tmp_path: Path) -> None:
    """Whatever files and links are called and lead to: names come from the folder, where none is `..`."""
    for name in ("...jpg", "..png", "a..b.png", "sub/..x/e.png", "sub/%2e%2e/f.png"):
        write(album / name)
    write(tmp_path / "elsewhere/g.png")
    (album / "link").symlink_to("../elsewhere")
    (album / "h.png").symlink_to("../elsewhere/g.png")
    jobs = make_plan("album", "out", None, True, 2, True).jobs
    assert {job.output.name for job in jobs} >= {"a..b.png", "f.png", "g.png", "h.png"}
    for path in (path for job in jobs for path in job.pictures):
        assert path.is_relative_to("out")
        assert ".." not in path.parts


@pytest.mark.usefixtures("album")
def test_pictures_may_lie_above_the_photographs() -> None:
    assert targets(make_plan("album/sub", "album"), Path("album")) == {"b.jpg", "deep/c d ä.TIFF"}


@pytest.mark.usefixtures("album")
def test_what_else_is_made_of_a_photograph_lies_beside_its_picture() -> None:
    (job,) = make_plan("album/a.png", "out", "jpg", side_by_side=True, samples=2, uncertainty=True).jobs
    names = ["a_sample1.jpg", "a_sample2.jpg", "a_uncertainty.jpg", "a_side_by_side.jpg", "a.jpg"]
    assert job.pictures == [Path("out") / name for name in names]


def test_pictures_below_the_photographs_are_not_photographs_of_the_next_start(album: Path) -> None:
    before = make_plan("album", "album/colour")
    for job in before.jobs:
        write(job.output)
    assert make_plan("album", "album/colour") == before
    assert make_plan("album/**/*", "album/colour") == before
    with pytest.raises(ColorizeError, match="holds the photographs"):
        make_plan("album/sub/*.jpg", "album/sub")


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        ("nothing", "out", "input=nothing does not exist"),
        ("album/*.gif", "out", "input=album/.*gif matches no photograph, only 0 other"),
        ("album/sub/*", None, "output=FOLDER is needed"),
        ("album", None, "output=FOLDER is needed for the pictures of input=album"),
        ("album", "out.png", "output=out.png names one picture"),
        ("album", "album/a.png", "output=album/a.png is a file"),
        ("album/a.png", "album/sub/notes.txt", "is a file"),
        ("album/a.png", "out.gif", "output=out.gif cannot be written: its name must end in .avif|.bmp"),
        ("album/a.png", "album/a.png", "album/a.png would write over album/a.png"),
        ("album/a.png", "album", "would write over album/a.png"),
        ("album", "album", "holds the photographs"),
        ("album", "album/sub/..", "holds the photographs"),
    ],
)
@pytest.mark.usefixtures("album")
def test_what_cannot_be_is_refused(source: str, output: str | None, words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        make_plan(source, output)


@pytest.mark.usefixtures("album")
def test_a_format_that_the_name_denies_is_refused() -> None:
    with pytest.raises(ColorizeError, match=r"format=png and output=b\.jpg differ"):
        make_plan("album/a.png", "b.jpg", "png")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_photograph_is_never_written_over_through_a_link(album: Path, link: object) -> None:
    Path("out/sub").mkdir(parents=True)
    link(album / "a.png", "out/sub/b.jpg")  # type: ignore[operator]
    with pytest.raises(ColorizeError, match=r"out/sub/b.jpg would write over album/a.png"):
        make_plan("album", "out")
    Path("linked").symlink_to("album")
    with pytest.raises(ColorizeError, match=r"would write over|holds the photographs"):
        make_plan("album", "linked")


def test_two_photographs_never_make_one_picture(album: Path) -> None:
    write(album / "a.gif")
    with pytest.raises(
        ColorizeError, match=r"album/a\.gif and album/a\.png would both be written to out/a\.png: rename"
    ):
        make_plan("album", "out")
    write(album / "sub/b.gif")
    write(album / "sub/b.png")
    more = r"a\.png, and 1 more such pairs: rename one of them or colour '\*\*/\*\.gif' and '\*\*/\*\.png' into two f"
    with pytest.raises(ColorizeError, match=more):
        make_plan("album", "out")
    with pytest.raises(ColorizeError, match=r"a_sample1\.png, and 1 more such pairs"):
        make_plan("album", "out", samples=2)
    assert len(make_plan("album/**/*.gif", "out").jobs) == 2
    for name in ("a.gif", "sub/b.gif", "sub/b.png"):
        (album / name).unlink()
    write(album / "a_side_by_side.png")
    assert len(make_plan("album", "out").jobs) == 4
    with pytest.raises(ColorizeError, match=r"would both be written to out/a_side_by_side\.png"):
        make_plan("album", "out", side_by_side=True)


def test_names_that_differ_by_case_are_one_where_the_file_system_says_so(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(album / "A.png")
    assert len(make_plan("album", "out").jobs) == 4
    monkeypatch.setattr(module, "_identity", lambda path: None if path.suffix else (1, 1))
    with pytest.raises(ColorizeError, match=r"A\.png and album/a\.png would both be written"):
        make_plan("album", "out")


def test_names_are_compared_as_on_the_disk_of_the_output(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not tell A from a, below folders of one that does."""
    write(album / "A.png")
    (album.parent / "disk/out/1920").mkdir(parents=True)

    def identity(path: Path) -> tuple[int, int] | None:
        before, disk, below = str(path.absolute()).partition("/disk/")
        found = Path(before + disk + below.lower())
        return (0, found.stat().st_ino) if found.exists() else None

    monkeypatch.setattr(module, "_identity", identity)
    assert len(make_plan("album", "out").jobs) == 4
    for output in ("disk/out", "disk/out/1920", "disk/out/new"):
        with pytest.raises(ColorizeError, match=r"A\.png and album/a\.png would both be written"):
            make_plan("album", output)


def test_leftovers_are_removed_wherever_pictures_go(tmp_path: Path) -> None:
    name = f".{'0' * 32}.tmp"
    made, ledger, elsewhere = [write(tmp_path / folder / name) for folder in ("out/sub", "out", "album")]
    jobs = [Job(tmp_path / f"album/{picture}", tmp_path / "out" / picture) for picture in ("sub/a.jpg", "none/b.jpg")]
    remove_leftovers(Plan(jobs, tmp_path / "out"))
    assert not made.exists()
    assert not ledger.exists()
    assert elsewhere.exists()


def test_a_folder_that_cannot_be_listed_is_told(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert targets(found := make_plan("album", "out"), Path("out")) == {"a.png", "sub/b.jpg"}
    assert found.unlisted == ["album/sub/deep: this folder cannot be listed: Permission denied"]


def test_an_empty_input_is_not_the_current_folder(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    with pytest.raises(ColorizeError, match="input= is empty: give a photograph"):
        make_plan("", "out")


def test_a_tilde_of_nobody_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "~no_such_user.jpg")
    assert make_plan("~no_such_user.jpg").jobs[0].output == Path("~no_such_user_colorized.jpg")
    with pytest.raises(ColorizeError, match="does not exist"):
        make_plan("~no_such_user/a.jpg")
