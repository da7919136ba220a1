"""Each mistake gets one sentence that says what was wrong, where, and how to fix it."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


class Malice:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.target}",)


# name: (arguments, words of the sentence); {tmp} is the folder that `places` lays out.
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "key": ("train.py trainer.max_epoch=3", ("trainer.max_epoch ", "did you mean trainer.max_epochs?")),
    "predict key": ("predict.py seed=1", ("seed is no key", "its keys are input, output")),
    "accelerator": (
        "predict.py trainer.accelerator=tpu input={tmp}/photo.png output={tmp}/predicted",
        ("trainer.accelerator=tpu is unknown: give auto, cpu",),
    ),
    "ranks of a multirun": (
        "predict.py -m trainer.devices=2 trainer.accelerator=cpu saturation=0,1 input={tmp} output={tmp}/predicted",
        ("trainer.devices=2 cannot run in a multirun",),
    ),
    "model": ("train.py model=lab_unit", ("lab_unit", "did you mean lab_unet?", "gray_cae", "rgb_convnet")),
    "data": ("train.py data=imagenet", ("imagenet", "cifar10", "landscapes", "scenes")),
    "completion": ("train.py -sc fish", ("-sc needs install=SHELL",)),
    "experiment": ("train.py experiment=best", ("best", "landscapes_lab_unet")),
    "no folder": ("train.py data=landscapes data.root=/nope", ("data.root=/nope", "not a folder")),
    "folder of nobody": ("train.py data=landscapes data.root=~nobody1/x", ("data.root=~nobody1/x", "not a folder")),
    "checkpoint of nobody": ("train.py ckpt_path=~nobody1/x", ("ckpt_path=~nobody1/x does not exist",)),
    "weights of nobody": (
        "train.py model=lab_encoder_unet model.encoder_weights=~nobody1/x",
        ("model.encoder_weights=~nobody1/x cannot be read",),
    ),
    "empty folder": ("train.py data=landscapes data.root={tmp}/empty", ("{tmp}/empty", "no photograph")),
    "no photographs": ("train.py data=landscapes data.root={tmp}/texts", ("{tmp}/texts", "no photograph", "2 files")),
    "empty cifar10": ("train.py data=cifar10 data.root={tmp}/empty", ("{tmp}/empty", "cifar10.npz")),
    "image size": ("train.py data.image_size=8", ("data.image_size=8", "UNet", "model.network.depth")),
    "monitor": ("train.py callbacks.checkpoint.monitor=val/fid", ("val/fid", "callbacks.checkpoint", "val/loss")),
    "text checkpoint": ("train.py fit=false ckpt_path={tmp}/text.ckpt", ("{tmp}/text.ckpt",)),
    "hostile checkpoint": ("train.py fit=false ckpt_path={tmp}/hostile.ckpt", ("{tmp}/hostile.ckpt", "refused")),
    "hostile resume": ("train.py ckpt_path={tmp}/hostile.ckpt", ("{tmp}/hostile.ckpt", "refused")),
    "hostile predict": (
        "predict.py checkpoint={tmp}/hostile.ckpt input={tmp}/photo.png output={tmp}/predicted",
        ("{tmp}/hostile.ckpt", "refused"),
    ),
    "no input argument": (
        "predict.py output={tmp}/predicted",
        ("No photograph is given: python predict.py PHOTO_OR_FOLDER",),
    ),
    "unknown weights": (
        "predict.py checkpoint=landscape input={tmp}/photo.png output={tmp}/predicted",
        ("did you mean landscapes",),
    ),
    "no checkpoint file": (
        "predict.py checkpoint={tmp}/none.ckpt input={tmp}/photo.png output={tmp}/predicted",
        ("{tmp}/none.ckpt",),
    ),
    "no input": (
        "predict.py checkpoint={tmp}/none.ckpt input={tmp}/none.png output={tmp}/predicted",
        ("input={tmp}/none.png",),
    ),
    "no network": ("train.py data=landscapes", ("connect to the network", "data.root=FOLDER")),
    "no network cifar10": ("train.py data=cifar10", ("connect to the network", "data.root=FOLDER")),
}
SWEEP_OF_DDP = "train.py -m seed=0,1 trainer.strategy=ddp trainer.devices=2 hydra.sweep.dir={tmp}/sweep"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "empty").mkdir()
    (folder / "texts").mkdir()
    for name in ("a.txt", "b.csv"):
        (folder / "texts" / name).write_text("words")
    (folder / "text.ckpt").write_text("no weights")
    (folder / "hostile.ckpt").write_bytes(pickle.dumps(Malice(folder / "owned")))
    Image.new("L", (9, 7), 99).save(folder / "photo.png")
    return folder


@pytest.fixture(scope="module")
def mistakes(commands: Any, places: Path) -> dict[str, Any]:
    """The finished process of every case."""
    unreachable = "http://127.0.0.1:9"
    environment = {
        "COLORIZE_CACHE": str(places / "cache"),
        "KAGGLEHUB_CACHE": str(places / "kagglehub"),
        "HTTP_PROXY": unreachable,
        "HTTPS_PROXY": unreachable,
        "http_proxy": unreachable,
        "https_proxy": unreachable,
        "NO_PROXY": "",
        "no_proxy": "",
    }

    def words(name: str) -> list[str]:
        arguments = (CASES[name][0] if name in CASES else name).format(tmp=places).split()
        if arguments[0] == "train.py":
            arguments += ["trainer.accelerator=cpu", f"hydra.run.dir={places}/{name.split('=')[0].replace(' ', '_')}"]
        return arguments

    cases = {name: words(name) for name in CASES}
    cases |= {"debug": [*words("no folder"), "debug=true"], "sweep": words(SWEEP_OF_DDP)}
    return {name: commands(*case, **environment) for name, case in cases.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_gets_one_sentence(name: str, mistakes: dict[str, Any], places: Path) -> None:
    finished = mistakes[name]
    assert finished.code == 1, finished.err
    assert "Traceback" not in finished.err
    sentences = [line for line in finished.err.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1, finished.err
    for word in CASES[name][1]:
        assert word.format(tmp=places) in sentences[0]
    assert finished.err.endswith(f"{sentences[0]}\n")
    assert "use: python predict.py" not in finished.out


@pytest.mark.usefixtures("mistakes")
def test_a_hostile_checkpoint_is_never_run(places: Path) -> None:
    assert not (places / "owned").exists()
    pickle.loads((places / "hostile.ckpt").read_bytes())  # the trap is a real one
    assert (places / "owned").exists()


@pytest.mark.usefixtures("mistakes")
def test_a_mistake_in_predict_writes_nothing(places: Path) -> None:
    assert not (places / "predicted").exists()


def test_a_process_of_its_own_says_the_same(commands: Any, mistakes: dict[str, Any]) -> None:
    words = CASES["key"][0].split()
    finished = commands.fresh(*words)
    assert (finished.code, finished.out, finished.err) == (1, "", mistakes["key"].err)


def test_a_sweep_of_ddp_is_refused_run_by_run(mistakes: dict[str, Any]) -> None:
    finished = mistakes["sweep"]
    assert finished.code == 1
    *jobs, end = [line for line in finished.err.splitlines() if line.startswith("error: ")]
    assert ["trainer.strategy=ddp" in job and "ddp_spawn" in job for job in jobs] == [True, True]
    assert end == "error: 2 of 2 runs failed: 0, 1"


def test_debug_shows_the_traceback(mistakes: dict[str, Any]) -> None:
    finished = mistakes["debug"]
    assert finished.code != 0
    assert "Traceback" in finished.err
    assert "ColorizeError: data.root=/nope is not a folder" in finished.err
