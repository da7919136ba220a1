"""A film, stopped by Ctrl-C, killed outright, and finished by the third start: the same as without the interruption."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import REPO, Finished, Started
from tests.cli.starts import run_until
from tests.film.films import packets, write_film

pytestmark = pytest.mark.slow
FRAMES = 480


def start(process: Started, segments: Path, end: Callable[[Started], None], at_least: int) -> Finished:
    """End predict.py once so many segments are there."""
    return run_until(lambda: len(list(segments.glob("*.segment"))) >= at_least, end, process)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", FRAMES, codec="libx264", sound="aac", size=(64, 96))


def test_an_interrupted_film_is_the_same(commands: Any, trained: Any, film: Path) -> None:
    output, whole = film.with_name("out.mkv"), film.with_name("whole.mkv")
    segments = film.with_name(".out.mkv.segments")
    command = ["predict.py", f"checkpoint={trained.best}", f"input={film}", f"output={output}", "num_threads=2"]
    command += ["trainer.accelerator=cpu", "codec=ffv1"]

    code, _, err = start(commands.start(*command), segments, lambda process: process.send_signal(signal.SIGINT), 1)
    assert code == 130, err
    assert "Traceback" not in err
    assert err.endswith("stopped: 1 of 1 films are left; the same command goes on with them.\n")
    assert not output.exists()
    finished = {path.name: path.read_bytes() for path in segments.glob("*.segment")}
    assert 0 < len(finished) < FRAMES / 120

    again = commands.start(*command)
    code, _, _ = start(again, segments, lambda process: os.killpg(process.pid, signal.SIGKILL), len(finished) + 1)
    assert code == -signal.SIGKILL
    assert not output.exists()
    assert {name: (segments / name).read_bytes() for name in finished} == finished

    code, out, err = commands(*command)
    assert code == 0, err
    assert out == f"1 written, 0 kept, 0 failed: {output}\n"
    assert not segments.exists()

    code, _, err = commands(*command[:3], f"output={whole}", *command[4:])
    assert code == 0, err
    assert packets(output, "video") == packets(whole, "video")
    assert [data for _, data in packets(output, "audio")] == [data for _, data in packets(film, "audio")]
    assert sorted(path.name for path in film.parent.iterdir()) == ["film.mp4", "out.mkv", "whole.mkv"]


def test_photographs_start_without_pyav(trained: Any, film: Path, tmp_path: Path, commands: Any) -> None:
    """What is imported for them is not more than before there were films."""
    from tests.album.red import photograph

    photograph(tmp_path / "photo.png")
    finished = commands.fresh(
        "-X", "importtime", "predict.py", f"checkpoint={trained.best}", f"input={tmp_path / 'photo.png'}"
    )
    assert finished.code == 0, finished.err
    modules = {line.rpartition("|")[2].strip() for line in finished.err.splitlines()}
    assert "colorize.album.plan" in modules
    assert not [name for name in modules if name == "av" or name.startswith(("av.", "colorize.film"))]


def test_films_without_pyav_are_told_which_extra_brings_it(film: Path, tmp_path: Path, commands: Any) -> None:
    (tmp_path / "av.py").write_text("raise ImportError('No module named av')")
    path = f"{tmp_path}{os.pathsep}{REPO}"
    finished = commands.fresh("predict.py", f"input={film}", f"output={tmp_path / 'out.mp4'}", PYTHONPATH=path)
    assert finished.code == 1
    assert finished.err == "error: Films are read and written by PyAV: pip install 'colorize[film]'.\n"
