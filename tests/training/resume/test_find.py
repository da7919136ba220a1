"""Which checkpoint resume=true goes on from, and what it refuses."""

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only

from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError
from colorize.training.config import plain, resolve_precision
from colorize.training.resume.find import adopt_last_checkpoint, newest_intact


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None


def config(folder: Path, *overrides: str) -> DictConfig:
    return compose("train", [f"run_dir={folder}", "resume=true", *overrides])


def write(folder: Path, name: str = "last.ckpt", step: int = 5, cfg: DictConfig | None = None) -> Path:
    """A checkpoint as far as it is looked at."""
    path = folder / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {"task": "LabTask", "hyper_parameters": {}, "state_dict": {"w": torch.zeros(5000)}}
    cfg = cfg or config(folder)
    trained = plain(cfg)
    trained["trainer"]["precision"] = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    torch.save({**described, "global_step": step, "epoch": 1, "config": trained}, path)
    return path


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_without_a_checkpoint_it_says_so_and_starts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cfg = config(tmp_path)
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path is None
    assert f"{tmp_path}/checkpoints holds no checkpoint yet, so the training starts from the beginning" in caplog.text


def test_the_last_checkpoint_is_found_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    last = write(tmp_path)
    write(tmp_path, "previous.ckpt", 4)
    unfinished = last.with_name(f".{'a' * 32}.tmp")
    unfinished.touch()
    cfg = config(tmp_path)
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path == str(last)
    assert f"goes on from {last}, step 5 of epoch 1" in caplog.text
    assert not unfinished.exists()


@pytest.mark.parametrize("spoil", [cut_off, flip_a_bit, Path.unlink])
def test_a_damaged_one_gives_way_to_the_one_before(
    spoil: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(write(tmp_path))
    previous = write(tmp_path, "previous.ckpt", 4)
    with caplog.at_level(logging.WARNING):
        assert newest_intact(tmp_path / "checkpoints") == previous
    assert f"last.ckpt is damaged or missing: {previous} is used" in caplog.text
    assert not (tmp_path / "checkpoints/last.ckpt").exists()  # or it would become the one before
    assert newest_intact(tmp_path / "checkpoints") == previous


def test_damaged_ones_alone_are_an_error(tmp_path: Path) -> None:
    cut_off(write(tmp_path))
    words = r"cannot be read: move it away and start anew, or give ckpt_path"
    with pytest.raises(ColorizeError, match=rf"last\.ckpt {words}"):
        newest_intact(tmp_path / "checkpoints")
    cut_off(write(tmp_path, "previous.ckpt"))
    with pytest.raises(ColorizeError, match=rf"last\.ckpt and \S+previous\.ckpt {words}"):
        newest_intact(tmp_path / "checkpoints")


@pytest.mark.parametrize(
    "harmless",
    [
        ["logger=tensorboard"],
        ["trainer.enable_progress_bar=false"],
        ["trainer.max_epochs=11"],
        ["callbacks.samples=null", "callbacks.curves.every_n_seconds=5"],
        ["callbacks.last.every_n_minutes=1"],
        ["data.num_workers=2", "debug=true"],
        ["trainer.precision=32-true"],
        ["trainer.max_epochs=-1"],
        ["callbacks.architecture=null", "callbacks.lr_monitor=null", "callbacks.perceptual.fid=weights.pth"],
        ["cache_dir=elsewhere", "+data.cache_dir=elsewhere", "+data.cache_gb=1", "+data.storage_options.key=x"],
        ["trainer.limit_test_batches=3", "trainer.log_every_n_steps=7", "++trainer.default_root_dir=elsewhere"],
    ],
    ids=str,
)
def test_what_changes_nothing_may_differ(harmless: list[str], tmp_path: Path) -> None:
    last = write(tmp_path, cfg=config(tmp_path, "trainer.accelerator=cpu", "trainer.precision=32-true"))
    cfg = config(tmp_path, "trainer.accelerator=cpu", "trainer.precision=32-true", *harmless)
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path == str(last)


def test_a_folder_may_be_moved_and_its_first_start_was_no_resume(tmp_path: Path) -> None:
    first = compose("train", [f"run_dir={tmp_path}/before", "ckpt_path=another.ckpt"])
    last = write(tmp_path / "after", cfg=first)
    cfg = config(tmp_path / "after")
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path == str(last)


def test_what_another_rank_finds_the_first_one_clears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(write(tmp_path))
    previous = write(tmp_path, "previous.ckpt", 4)
    unfinished = previous.with_name(f".{'a' * 32}.tmp")
    unfinished.touch()
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    cfg = config(tmp_path)
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path == str(previous)
    assert {path.name for path in previous.parent.iterdir()} == {"last.ckpt", "previous.ckpt", unfinished.name}


def test_pictures_from_elsewhere_are_another_training(tmp_path: Path) -> None:
    """Unlike a place in the run's folder, which moves with it."""
    own = ["+callbacks.own.path=${run_dir}/own.png", "+data.path=/pictures/a"]
    last = write(tmp_path / "after", cfg=compose("train", [f"run_dir={tmp_path}/before", *own]))
    cfg = config(tmp_path / "after", *own)
    adopt_last_checkpoint(cfg)
    assert cfg.ckpt_path == str(last)
    with pytest.raises(ColorizeError, match=r"trained with data\.path=/pictures/a, but this run has data\.path=/p"):
        adopt_last_checkpoint(config(tmp_path / "after", own[0], "+data.path=/pictures/b"))


def test_a_length_that_is_none_is_not_compared(tmp_path: Path) -> None:
    write(tmp_path, cfg=config(tmp_path, "trainer.max_epochs=null"))
    with pytest.raises(ColorizeError, match=r"trained with trainer\.max_epochs=None, but .*trainer\.max_epochs=10;"):
        adopt_last_checkpoint(config(tmp_path))


@pytest.mark.parametrize(("overrides", "refused"), [([], False), (["compile=true"], True)])
def test_a_run_of_before_there_was_compile_did_not(overrides: list[str], refused: bool, tmp_path: Path) -> None:
    last = write(tmp_path)
    checkpoint = torch.load(last, weights_only=True)
    del checkpoint["config"]["compile"]
    torch.save(checkpoint, last)
    with pytest.raises(ColorizeError, match=r"trained with compile=False, but") if refused else nullcontext():
        adopt_last_checkpoint(config(tmp_path, *overrides))


@pytest.mark.parametrize(
    ("override", "before", "now"),
    [
        ("seed=1", "seed=0", "seed=1"),
        ("data.batch_size=7", "data.batch_size=", "data.batch_size=7"),
        ("model.optimizer.lr=7", "model.optimizer.lr=0.001", "model.optimizer.lr=7"),
        ("trainer.max_epochs=9", "trainer.max_epochs=10", "trainer.max_epochs=9"),
        ("data.augment.flip=false", "data.augment.flip=True", "data.augment.flip=False"),
        ("callbacks.early_stopping.patience=3", "patience=20", "callbacks.early_stopping.patience=3"),
        ("+trainer.val_check_interval=0.5", "val_check_interval=not set", "trainer.val_check_interval=0.5"),
        ("callbacks=ema", "callbacks.ema._target_=not set", "callbacks.ema.decay=0.999"),
    ],
)
def test_what_changes_the_training_is_named_and_refused(override: str, before: str, now: str, tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(ColorizeError, match="resume=true cannot go on exactly") as caught:
        adopt_last_checkpoint(config(tmp_path, override))
    was, _, given = str(caught.value).partition(", but this run has ")
    assert before in was
    assert now in given
    assert "\n" not in str(caught.value)


def test_what_a_run_no_longer_has_is_named(tmp_path: Path) -> None:
    write(tmp_path, cfg=config(tmp_path, "callbacks=ema"))
    with pytest.raises(ColorizeError, match=r"decay=0\.999, but this run has .*callbacks\.ema\.decay=not set"):
        adopt_last_checkpoint(config(tmp_path))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["ckpt_path=last.ckpt"], "leave out ckpt_path"),
        (["fit=false"], "leave out ckpt_path and fit"),
        (["callbacks.last=null"], r"needs callbacks\.last"),
    ],
)
def test_what_makes_no_sense_is_named(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=message):
        adopt_last_checkpoint(config(tmp_path, *overrides))
