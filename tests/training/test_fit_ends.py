"""What ends a training before its end, and what is said of it."""

import inspect
import os
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch._inductor.exc import InductorError

from colorize.errors import ColorizeError
from colorize.training.fit import fit
from colorize.training.resume import LastCheckpoint, Stopped
from tests.training.small import config, make_data, make_task

pytestmark = pytest.mark.filterwarnings("ignore")


class Fail(Callback):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        raise self.error


class Interrupt(Fail):
    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, index: int) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise self.error

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        pass


def test_a_stopped_training_says_the_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "seed=1"])
    with pytest.raises(SystemExit) as ended:
        fit(config(tmp_path), make_task(), make_data(), {"stop": Fail(Stopped(15, 7))}, [])
    assert ended.value.code == 143
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"stopped after step 7; go on with: python train.py seed=1 hydra.run.dir={tmp_path} resume=true"
    )


@pytest.mark.parametrize(
    "error",
    [
        torch.distributed.DistBackendError("NCCL communicator was aborted"),
        RuntimeError("[../gloo/transport/tcp/pair.cc:525] Connection closed by peer [127.0.0.1]:4242"),
        RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection reset by peer"),
    ],
    ids=["nccl", "closed", "reset"],
)
def test_another_process_that_died_is_one_sentence(error: RuntimeError, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"^Another process of this training has died \(.*\): ") as caught:
        fit(config(tmp_path), make_task(), make_data(), {"fail": Fail(error)}, [])
    assert str(error) in str(caught.value)
    assert str(caught.value).endswith(f"ckpt_path={tmp_path}/checkpoints/last.ckpt goes on from the last checkpoint.")


def test_a_signal_that_also_ended_the_compiler_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "compile=true"])
    error = InductorError(RuntimeError("CppCompileError"), inspect.currentframe())
    callbacks: dict[str, Callback] = {"last": LastCheckpoint(str(tmp_path)), "fail": Fail(error)}
    with pytest.raises(InductorError):
        fit(config(tmp_path), make_task(), make_data(), callbacks, [])
    callbacks["fail"] = Interrupt(error)
    with pytest.raises(SystemExit) as ended:
        fit(config(tmp_path), make_task(), make_data(), callbacks, [])
    assert ended.value.code == 143
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"stopped while compiling; go on with: python train.py compile=true hydra.run.dir={tmp_path} resume=true"
    )


def test_a_training_without_its_last_checkpoint_ends_by_sigterm_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminate(Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        fit(config(tmp_path), make_task(), make_data(), {"terminate": Terminate()}, [])
    assert ended.value.code == 143
    assert capsys.readouterr().err.splitlines()[-1] == "stopped."


@pytest.mark.parametrize("error", [RuntimeError("CUDA error: out of memory"), ValueError("a shape")])
def test_every_other_error_keeps_its_own_words(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught:
        fit(config(tmp_path), make_task(), make_data(), {"fail": Fail(error)}, [])
    assert caught.value is error


def test_a_rank_beside_the_first_is_done_after_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pl.Trainer, "is_global_zero", False)
    assert fit(config(tmp_path), make_task(), make_data(), {}, []) is None
    with pytest.raises(SystemExit):
        fit(config(tmp_path), make_task(), make_data(), {"stop": Fail(Stopped(15, 7))}, [])
    assert "stopped after" not in capsys.readouterr().out


class Order:
    """Makes a folder when it is unpickled."""

    folder = Path()

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_checkpoint_is_data_not_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Order, "folder", tmp_path / "made")
    torch.save({"state_dict": {}, "order": Order()}, tmp_path / "x.ckpt")
    with pytest.raises(pickle.UnpicklingError):
        fit(config(tmp_path, ckpt_path=str(tmp_path / "x.ckpt")), make_task(), make_data(), {}, [])
    assert not (tmp_path / "made").exists()


def test_more_batches_between_validations_than_there_are_is_a_mistake(tmp_path: Path) -> None:
    cfg = config(tmp_path, trainer={"val_check_interval": 100})
    with pytest.raises(
        ColorizeError, match=r"^trainer: `val_check_interval` \(100\) must be less than or equal to the"
    ):
        fit(cfg, make_task(), make_data(), {}, [])
