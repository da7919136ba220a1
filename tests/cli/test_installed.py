"""The installed commands, from a wheel and outside of any checkout: real processes."""

import os
import shlex
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from colorize.images import write_photograph
from colorize.scenery import render_scenes
from tests.cli.conftest import REPO, TINY, Finished
from tests.wheel import bare_environment, build_wheel, copy_source

pytestmark = pytest.mark.slow

EXTRAS = ("wandb", "kagglehub", "mlflow", "tensorboard")
CONFIGS = {path.relative_to(REPO).as_posix() for path in (REPO / "conf").rglob("*.yaml")}
MODULES = {path.relative_to(REPO).as_posix() for path in (REPO / "colorize").rglob("*.py")}
MINE = """
from colorize.networks import UNet

class Mine(UNet):
    pass
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: a photograph, an album of two, and a module."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "album").mkdir()
    for number, scene in enumerate(render_scenes(range(3), 48, seed=7)):
        write_photograph(folder / ("album" if number else ".") / f"{number or 'photo'}.jpg", scene[:40])
    (folder / "mine.py").write_text(MINE)
    return folder


@pytest.fixture(scope="module")
def run(wheel: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Finished]:
    """Runs a command line in that folder, in an environment with none of the extras."""
    programs = bare_environment(tmp_path_factory.mktemp("bare") / "environment", wheel, EXTRAS)
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment = {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

    def start(line: str, **variables: str) -> Finished:
        command = ["bash", "-c", line]
        done = subprocess.run(
            command,
            cwd=home,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return start


@pytest.fixture(scope="module")
def no_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PYTHONPATH on which torch cannot be imported."""
    folder = tmp_path_factory.mktemp("no_torch")
    (folder / "torch.py").write_text("raise RuntimeError('torch is imported')")
    return str(folder)


def test_the_wheel_holds_the_configurations_and_the_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entries,) = [name for name in names if name.endswith("entry_points.txt")]
        commands = archive.read(entries).decode()
    assert {f"colorize/{name}" for name in CONFIGS} <= names
    assert names >= MODULES
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"colorize"}
    assert "colorize = colorize.commands.start:predict" in commands
    assert "colorize-train = colorize.commands.start:train" in commands


def test_the_source_archive_holds_them_too(tmp_path: Path) -> None:
    source = copy_source(tmp_path / "source")
    code = "from setuptools import build_meta; print(build_meta.build_sdist('.'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    with tarfile.open(source / done.stdout.splitlines()[-1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "colorize/weights/photographs.safetensors", *CONFIGS} <= names


def test_help_and_completion_need_no_torch(run: Callable[..., Finished], no_torch: str) -> None:
    for command, word in (("colorize", "--saturation 1.0"), ("colorize-train", "experiment=NAME")):
        finished = run(f"{command} --help", PYTHONPATH=no_torch)
        assert finished.code == 0, finished.err
        assert word in finished.out
        assert f"\n  {command} " in finished.out
        assert run(f"{command} --help | true", PYTHONPATH=no_torch).err == ""
    completed = run(
        'eval "$(colorize-train -sc install=bash)"; COMP_LINE="colorize-train model=lab_u"; COMP_CWORD=1;'
        " COMP_POINT=${#COMP_LINE}; hydra_bash_completion; echo ${COMPREPLY[@]}",
        PYTHONPATH=no_torch,
    )
    assert (completed.out, completed.err) == ("model=lab_unet\n", "")


def test_an_album_is_coloured_as_predict_does(
    run: Callable[..., Finished], home: Path, commands: Callable[..., Finished], tmp_path: Path
) -> None:
    finished = run("colorize album -o album_colour --saturation 1.2 --no-tta quality=90")
    assert finished.code == 0, finished.err
    assert finished.out == "2 written, 0 kept, 0 failed: album_colour/report.csv\n"
    words = [f"input={home}/album", f"output={tmp_path}/out", "saturation=1.2", "tta=false", "quality=90"]
    assert commands("predict.py", *words).code == 0
    for name in ("1.jpg", "2.jpg"):
        assert (home / "album_colour" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_a_mistake_is_the_sentence_that_predict_says(run: Callable[..., Finished]) -> None:
    finished = run("colorize photo.jpg --quality 400")
    assert (finished.code, finished.out) == (1, "")
    assert finished.err == "error: quality=400 is not possible: give a whole number from 1 to 100.\n"


def test_a_training_with_a_module_of_the_current_folder(run: Callable[..., Finished], home: Path) -> None:
    """Without any extra; and what it says at its end is a command that there is."""
    words = [*TINY, "model=lab_unet", "plugins=[mine]", "model.network.name=Mine", "hydra.run.dir=my_run"]
    trained = run(shlex.join(["colorize-train", *words]))
    assert trained.code == 0, trained.err
    use = trained.out.splitlines()[-1]
    best = f"{home}/my_run/checkpoints/best.ckpt"
    assert use == f"use: colorize 'plugins=[mine]' checkpoint={best} input=PHOTO_OR_FOLDER output=FOLDER"
    line = use.removeprefix("use: ").replace("PHOTO_OR_FOLDER", "photo.jpg").replace("FOLDER", "by_mine.png")
    finished = run(line)
    assert finished.code == 0, finished.err
    with Image.open(home / "by_mine.png") as picture:
        assert picture.size == (48, 40)


def test_a_missing_extra_is_named_with_its_install(run: Callable[..., Finished]) -> None:
    refused = run(shlex.join(["colorize-train", *TINY, "logger=wandb", "hydra.run.dir=on_wandb"]))
    assert refused.code == 1
    assert refused.err.splitlines()[-1] == "error: logger=wandb needs the wandb package: pip install 'colorize[wandb]'."


def test_a_stopped_training_says_how_the_user_goes_on(run: Callable[..., Finished], home: Path) -> None:
    words = shlex.join(["colorize-train", *TINY, "trainer.max_epochs=1000", "hydra.run.dir=stopped"])
    wait = "until [ -s stopped/checkpoints/last.ckpt ] || ! kill -0 $!; do sleep 0.1; done"
    stopped = run(f"{words} & {wait}; kill -TERM $!; wait $!")
    assert stopped.code == 128 + signal.SIGTERM, stopped.err
    said = stopped.out.splitlines()[-1].partition("; go on with: ")[2]
    assert said == f"{words.removesuffix('hydra.run.dir=stopped')}hydra.run.dir={home}/stopped resume=true"
