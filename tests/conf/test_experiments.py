"""Every experiment composes, says what it reproduces, and runs."""

import re
from pathlib import Path

import pytest
from hydra.utils import instantiate
from torch import nn

from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError
from colorize.training.checks import check
from colorize.training.config import build_task, plain
from tests.conf.composing import names, train_config

CONTINUES = {name for name in names("experiment") if name.endswith(("_finetune", "_relative", "_vivid", "_hybrid"))}
CONTINUES |= {"landscapes_lab_encoder_unet"}


def starting(experiment: str) -> list[str]:
    return [f"experiment={experiment}", *(["model.init_from=photographs"] if experiment in CONTINUES else [])]


@pytest.mark.parametrize("overrides", [[], *(starting(name) for name in names("experiment"))])
def test_experiments_compose_and_resolve(overrides: list[str], tmp_path: Path) -> None:
    root = [f"data.root={tmp_path}"] if overrides and "photographs" in overrides[0] else []
    cfg = train_config(tmp_path, *overrides, *root)
    check(cfg)
    assert plain(cfg)["callbacks"]["checkpoint"]["dirpath"] == f"{tmp_path}/checkpoints"


@pytest.mark.parametrize("experiment", sorted(CONTINUES))
def test_experiments_that_continue_ask_for_weights(experiment: str, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"model\.init_from=.*RUN/checkpoints/best\.ckpt"):
        check(train_config(tmp_path, f"experiment={experiment}", "data=scenes"))


@pytest.mark.parametrize("experiment", names("experiment"))
def test_experiments_begin_with_what_they_reproduce(experiment: str) -> None:
    lines = (CONFIG_DIR / "experiment" / f"{experiment}.yaml").read_text().splitlines()
    assert [line.split(":")[0] for line in lines[1:4]] == ["# Reproduces", "# Stated", "# Chosen"]


@pytest.mark.parametrize(
    "experiment",
    ["cifar10_cae", "landscapes_lab", *(f"{kind}_{n}" for kind in ("autoencoder", "colorizer") for n in (1, 2, 3))],
)
def test_experiments_have_the_channels_that_they_state(experiment: str, tmp_path: Path) -> None:
    text = (CONFIG_DIR / "experiment" / f"{experiment}.yaml").read_text()
    stated = re.search(r"# Chosen: .*?(\d+) to (\d+) channels", text)
    assert stated is not None
    encoder = build_task(train_config(tmp_path, f"experiment={experiment}")).network.get_submodule("encoder")
    widths = [module.out_channels for module in encoder.modules() if isinstance(module, nn.Conv2d)]
    assert [min(widths), max(widths)] == [int(number) for number in stated.groups()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data", [None, "landscapes"])
@pytest.mark.parametrize("experiment", names("experiment"))
def test_every_experiment_runs(experiment: str, data: str | None, roots: dict[str, Path], tmp_path: Path) -> None:
    """On its own data, and on landscapes."""
    overrides = [*starting(experiment), *([] if data is None else [f"data={data}"]), f"cache_dir={tmp_path}"]
    overrides += ["trainer.fast_dev_run=true", "trainer.accelerator=cpu", "trainer.enable_progress_bar=false"]
    overrides += ["trainer.precision=32-true", "data.batch_size=2", "data.image_size=32"]
    overrides += ["data.val_fraction=0.3"] if data is None else ["data.val_fraction=0.3", "data.test_fraction=0.3"]
    cfg = train_config(tmp_path, *overrides)
    cfg.data.root = str(roots["landscapes"])
    if "colored" in cfg.data:
        cfg.data.colored = "."
    check(cfg)
    trainer = instantiate(cfg.trainer, callbacks=[instantiate(cfg.callbacks.ema)] if "ema" in cfg.callbacks else [])
    task = build_task(cfg)
    trainer.fit(task, datamodule=instantiate(cfg.data))
    assert trainer.callback_metrics["val/loss"].isfinite()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("experiment=cifar10_convnet", {"flip": False, "crop_padding": 0, "crop_scale": 1.0, "crop_size": None}),
        ("experiment=cifar10_lab_unet", {"flip": True, "crop_padding": 2, "crop_scale": 1.0, "crop_size": None}),
        (
            "experiment=landscapes_lab_unet_finetune",
            {"flip": True, "crop_padding": 8, "crop_scale": 0.6, "crop_size": None},
        ),
    ],
)
def test_experiments_augment_as_they_state(overrides: str, expected: dict[str, float], tmp_path: Path) -> None:
    augment = instantiate(train_config(tmp_path, overrides, f"cache_dir={tmp_path}").data).augment
    assert {name: getattr(augment, name) for name in expected} == expected
