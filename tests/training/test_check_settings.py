"""Settings that a training could not keep, or would keep wrongly, each refused in one sentence."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate

from colorize.cli.config import CONFIG_DIR
from colorize.cli.sentences import sentence
from colorize.errors import ColorizeError
from colorize.training.check_trainer import SWITCHES, check_switches
from colorize.training.checks import check, check_paths
from colorize.training.config import build_task


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield


PLATEAU = ["model=rgb_unet", "model.scheduler={name:plateau}"]
FUSED = ["+model.optimizer.fused=true", "trainer.precision=bf16-mixed", "trainer.accelerator=cpu"]
CLOCK = "+trainer.val_check_interval=00:00:10:00"
TWO_BEST = ["callbacks.checkpoint.save_top_k=2"]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["seed=-1"], "seed=-1 must be a whole number from 0 to 4294967295"),
        (["seed=null"], "seed=None must be a whole number"),
        (["seed=one"], "seed=one must be a whole number"),
        (["trainer.max_epochs=1.5"], r"trainer\.max_epochs=1\.5 must be a whole number of at least -1"),
        (["trainer.accumulate_grad_batches=0"], "accumulate_grad_batches=0 must be a whole number of at least 1"),
        (["trainer.log_every_n_steps=often"], "log_every_n_steps=often must be a whole number of at least 0"),
        (["trainer.num_sanity_val_steps=1.5"], r"num_sanity_val_steps=1\.5 must be a whole number of at least -1"),
        (["trainer.max_time=5"], "max_time=5 must be DAYS:HOURS:MINUTES:SECONDS"),
        (["ckpt_path=3"], "ckpt_path=3 does not exist: give RUN"),
        ([f"ckpt_path={'x' * 300}"], "x does not exist: give RUN"),
        (["fit=false", "ckpt_path=3"], "ckpt_path=3 does not exist: give RUN"),
        (["model.init_from=3"], r"model\.init_from=3 does not exist: give RUN"),
        (["callbacks.checkpoint.monitor=train/loss_epoch"], "train/loss_epoch is not known when a validation ends"),
        ([CLOCK, "trainer.accelerator=cpu", "trainer.devices=2"], "=00:00:10:00 goes by the clock of each process"),
        ([CLOCK, "trainer.devices=1", "trainer.num_nodes=2"], r"would not agree .*: give several of them a number"),
        (["~logger"], "A run needs logger: leave ~logger out"),
        (["logger.csv=5"], r"logger\.csv=5 holds no settings: logger\.csv=null leaves it out"),
        (["callbacks.samples=none"], r"callbacks\.samples=none holds no settings: callbacks\.samples=null leaves"),
        (["callbacks.checkpoint=5"], r"callbacks\.checkpoint=5 holds no settings"),
        (["~model"], "A run needs model: leave ~model out"),
        (["+callbacks.checkpoint.save_last=true"], r"save_last writes to last\.ckpt, which callbacks\.last writes"),
        (["trainer.precision=64-true"], r"trainer\.precision=64-true cannot be used, .*: use 32-true"),
        (FUSED, r"trainer\.gradient_clip_val=1\.0 cannot be used with a fused optimizer .*gradient_clip_val=null"),
        (
            [*PLATEAU, "trainer.limit_val_batches=0"],
            r"name=plateau .*limit_val_batches=0 leave epochs without",
        ),
        ([*PLATEAU, "trainer.check_val_every_n_epoch=null"], r"check_val_every_n_epoch=None .*another schedule"),
        (TWO_BEST, r"save_top_k=2 would write all its checkpoints to best\.ckpt: .*filename='best-\{epoch\}'"),
        (["callbacks.checkpoint.save_top_k=-1"], "save_top_k=-1 would write all its checkpoints"),
        (["model.loss.beta=-1"], r"model\.loss=\{'name': 'smooth_l1', 'beta': -1\} cannot be computed: .*negative"),
        (
            ["model.scheduler.final_fraction=-3"],
            "cosine cannot be built: final_fraction is -3, but must be from 0",
        ),
        (["model.optimizer.lr=much"], r"model\.optimizer\.lr=much must be a number, such as"),
        (["model.optimizer.lr=nan"], r"model\.optimizer\.lr=nan must be a number that is finite"),
        (["model.optimizer.weight_decay=inf"], r"model\.optimizer\.weight_decay=inf must be"),
        (["trainer.num_nodes=0"], r"trainer\.num_nodes=0 must be a whole number of at least 1"),
        (["trainer.gradient_clip_val=-1"], r"gradient_clip_val=-1 must be a number of at least 0, or null"),
        (["trainer.gradient_clip_val=nan"], r"gradient_clip_val=nan must be"),
        (["+trainer.val_check_interval=0"], r"val_check_interval=0 must be a number of batches, or a share"),
        (["model=lab_hybrid", "model.loss_weight=much"], r"model\.loss_weight=much .* must be numbers of at least 0"),
        (["model.optimizer.name=SparseAdam"], "model.optimizer.name 'SparseAdam' is unknown"),
        (["model.loss.name=l1"], "l1 cannot be built: .* 'beta'; ~model.loss.beta takes it out"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_built(overrides: list[str], words: str) -> None:
    with pytest.raises((ColorizeError, InstantiationException)) as caught:
        check(compose("train", ["run_dir=RUN", *overrides]))
    assert re.search(words, sentence(caught.value))


@pytest.mark.parametrize(
    "overrides",
    [
        [*PLATEAU, "trainer.check_val_every_n_epoch=2"],
        ["trainer.check_val_every_n_epoch=null"],
        ["trainer.limit_val_batches=0"],
        [*FUSED, "trainer.gradient_clip_val=null"],
        [*FUSED[:1], "trainer.precision=32-true"],
        [*TWO_BEST, "callbacks.checkpoint.filename='best-{epoch}'"],
        [*TWO_BEST, "callbacks.checkpoint.enable_version_counter=true"],
        ["callbacks.checkpoint.save_top_k=0"],
        ["+callbacks.checkpoint.save_last=true", "callbacks.last=null"],
        ["trainer.max_epochs=null", "trainer.max_steps=5"],
        ["callbacks.checkpoint=null"],
        [CLOCK, "trainer.accelerator=cpu", "trainer.devices=1"],
        ["model.loss.name=l1", "~model.loss.beta"],
        ["model=lab_hybrid", "model.loss_weight=0"],
    ],
    ids=str,
)
def test_what_can_be_may_start(overrides: list[str]) -> None:
    check(compose("train", ["run_dir=RUN", *overrides]))


@pytest.mark.parametrize("key", SWITCHES)
def test_a_word_is_no_switch(key: str) -> None:
    """Of which Python counts "no" as true."""
    with pytest.raises(ColorizeError, match=f"^{re.escape(key)}=no is a text: give true or false"):
        check_switches(compose("train", [f"{key}=no"]))


@pytest.mark.parametrize("override", ["fit=false", "trainer.fast_dev_run=3", "trainer.deterministic=warn", "seed=1"])
def test_what_is_a_switch_is_taken(override: str) -> None:
    check_switches(compose("train", [override]))


SMALL = "data.image_size=32"


@pytest.mark.parametrize(
    ("overrides", "norm"),
    [
        ([SMALL, "model.network.norm=instance"], "InstanceNorm2d"),
        (["data.augment.crop_size=32", "model.network.norm=instance"], "InstanceNorm2d"),
        ([SMALL, "data.batch_size=1"], "BatchNorm2d"),
        (["model=lab_encoder_unet", SMALL, "data.batch_size=1"], "BatchNorm2d"),
    ],
)
def test_a_norm_without_pixels_is_refused(overrides: list[str], norm: str) -> None:
    with pytest.raises(ColorizeError, match=f"^Pictures of 32 pixels leave {norm} a single pixel .* raise data.image"):
        check(compose("train", ["run_dir=RUN", *overrides]))


@pytest.mark.parametrize(
    "overrides",
    [
        [SMALL, "model.network.norm=group", "data.batch_size=1"],
        [SMALL, "model.network.norm=instance", "model.network.depth=3"],
        ["data.batch_size=1"],
        [SMALL, "data.augment.crop_size=64", "data.batch_size=1"],
        ["model=lab_encoder_unet", SMALL, "data.batch_size=1", "model.optimizer.lr_factors.encoder=0"],
    ],
)
def test_a_norm_with_pixels_trains(overrides: list[str]) -> None:
    cfg = compose("train", ["run_dir=RUN", *overrides])
    check(cfg)
    task, size = build_task(cfg), cfg.data.augment.crop_size or cfg.data.image_size
    assert task.network(torch.zeros(cfg.data.batch_size, 1, size, size)).isfinite().all()


@pytest.mark.parametrize("word", ["none", "false", "5"])
def test_a_word_is_no_augmentation(word: str) -> None:
    cfg = compose("train", ["run_dir=RUN", f"data.augment={word}"])
    check(cfg)
    with pytest.raises(InstantiationException) as caught:
        instantiate(cfg.data)
    assert re.fullmatch(r"data\.augment is \w+, but must hold settings: .*", sentence(caught.value))


def test_evaluations_of_a_sweep_take_one_device_each(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = ["hydra.mode=MULTIRUN", "hydra.job.num=0", "hydra.sweep.dir=SWEEP", "hydra.runtime.output_dir=RUN"]
    evaluation = ["fit=false", "model.init_from=photographs", "trainer.accelerator=cpu", "trainer.devices=2"]
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    HydraConfig.instance().set_config(compose("train", [*evaluation, *sweep], return_hydra_config=True))
    check(compose("train", ["run_dir=RUN", *evaluation]))


def test_a_training_that_goes_on_needs_no_longer_what_it_started_from(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").touch()
    overrides = ["run_dir=.", "data.root=null", "experiment=photographs_finetune", "model.init_from=removed.ckpt"]
    cfg = compose("train", overrides)
    with pytest.raises(ColorizeError, match=r"removed\.ckpt does not exist"):
        check_paths(cfg)
    cfg.ckpt_path = str(tmp_path / "last.ckpt")
    check_paths(cfg)
