"""What is refused before anything is built: devices of a sweep, trainings without an end, other models' checkpoints."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError
from colorize.training.check_trainer import check_strategy
from colorize.training.checks import check
from colorize.training.config import flatten
from colorize.training.resume.same_run import check_resume
from tests.training.small import make_data, make_task, make_trainer


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None


def job(*overrides: str) -> DictConfig:
    """The configuration of one job of a multirun."""
    fixed = ("hydra.mode=MULTIRUN", "hydra.job.num=0", "hydra.sweep.dir=SWEEP", "hydra.runtime.output_dir=RUN")
    cfg: DictConfig = compose("train", [*overrides, *fixed], return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    return cfg


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.devices=1"],
        ["trainer.devices=[1]"],
        ["trainer.devices='1'"],
        ["trainer.devices='1,'"],
        ["trainer.devices=1", "trainer.strategy=ddp"],
        ["trainer.accelerator=cpu"],
        ["trainer.devices=[0,1]", "trainer.strategy=ddp_spawn"],
        ["trainer.strategy=ddp_fork_find_unused_parameters_true"],
    ],
)
def test_a_job_of_a_sweep_may_take_one_device_or_spawn(overrides: list[str]) -> None:
    check_strategy(job(*overrides))


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["trainer.devices=2"],
        ["trainer.devices='0,1'"],
        ["trainer.devices=-1"],
        ["trainer.devices=[0,1]", "trainer.strategy=ddp"],
        ["trainer.devices=2", "trainer.strategy=fsdp"],
        ["trainer.devices=2", "trainer.accelerator=cpu"],
    ],
)
def test_a_job_of_a_sweep_may_not_start_the_command_again(overrides: list[str]) -> None:
    with pytest.raises(ColorizeError, match=r"cannot run in a multirun.*use trainer\.devices=1.*ddp_spawn"):
        check_strategy(job(*overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.max_epochs=-1"],
        ["trainer.max_epochs=-1", "trainer.max_time=00:00:01:00"],
        ["trainer.max_epochs=null", "trainer.max_time=00:00:01:00"],
    ],
)
def test_cosine_needs_an_end(overrides: list[str]) -> None:
    with pytest.raises(ColorizeError, match=r"model\.scheduler\.name=cosine .*trainer\.max_epochs.*give one of them"):
        check(compose("train", ["run_dir=RUN", *overrides]))


WITHOUT_COSINE = ("~model.scheduler.warmup_fraction", "~model.scheduler.final_fraction")


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.max_epochs=-1", "trainer.max_steps=100"],
        ["trainer.max_epochs=3", "trainer.max_time=00:00:01:00"],
        ["trainer.max_epochs=null"],  # Lightning takes 1000
        ["trainer.max_epochs=-1", "model.scheduler=null"],
        ["trainer.max_epochs=-1", "model.scheduler.name=step", "+model.scheduler.step_size=3", *WITHOUT_COSINE],
    ],
)
def test_a_schedule_whose_end_is_known_or_not_needed_may_start(overrides: list[str]) -> None:
    check(compose("train", ["run_dir=RUN", *overrides]))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.optimizer=null", r"^model\.optimizer must be a mapping with a name, but is None\.$"),
        ("model.scheduler.final_fraction=-1", r"^model\.scheduler: cosine cannot be built: final_fraction is -1, but"),
        ("model.scheduler.warmup_fraction=2", r"^model\.scheduler: cosine cannot be built: warmup_fraction is 2, but"),
        ("data.image_size=large", r"^data\.image_size=large is not possible: give a whole number of pixels\.$"),
        ("data.image_size=64.5", r"^data\.image_size=64\.5 is not possible"),
    ],
)
def test_values_of_another_kind_are_refused(override: str, words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        check(compose("train", ["run_dir=RUN", override]))


@pytest.mark.parametrize("root", ["s3://BUCKET/FOLDER", "[s3://BUCKET/FOLDER,gs://BUCKET/OTHER]"])
def test_an_address_of_an_object_store_is_no_missing_folder(root: str) -> None:
    options = "data.storage_options={endpoint_url: 'http://HOST:9000'}"
    cfg = compose("train", ["run_dir=RUN", "data=streaming", f"data.root={root}", options])
    check(cfg)
    assert cfg.data.storage_options == {"endpoint_url": "http://HOST:9000"}


@pytest.mark.parametrize("model", ["gray_cae", "rgb_autoencoder"])
def test_ageing_is_refused_where_the_network_sees_colour(model: str) -> None:
    cfg = compose("train", ["run_dir=RUN", f"model={model}", "data.augment.ageing=0.5"])
    with pytest.raises(
        ColorizeError, match=r"^data\.augment\.ageing=0\.5 ages .* shows it the colour picture: use"
    ) as caught:
        check(cfg)
    assert "\n" not in str(caught.value)


def test_ageing_is_for_every_network_that_sees_gray() -> None:
    for model in ("lab_unet", "rgb_unet"):
        check(compose("train", ["run_dir=RUN", f"model={model}", "data.augment.ageing=0.5"]))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `make_task()` with a cosine, after one step."""
    folder = tmp_path_factory.mktemp("trained")
    make_trainer(folder, max_steps=1).fit(make_task(scheduler=COSINE), datamodule=make_data())
    return folder / "best.ckpt"


COSINE = {"name": "cosine", "warmup_fraction": 0.1}
NETWORK = {"name": "UNet", "width": 4, "depth": 1}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("changed", "theirs", "ours"),
    [
        ({"loss_space": "rgb"}, "model.loss_space=ab", "model.loss_space=rgb"),
        ({"loss": {"name": "l1"}}, "model.loss.name=mse", "model.loss.name=l1"),
        ({"loss": {"name": "mse", "beta": 1}}, "model.loss.beta=not set", "model.loss.beta=1"),
        ({"network": {**NETWORK, "width": 8}}, "model.network.width=4", "model.network.width=8"),
        ({"optimizer": {"name": "Adam", "lr": 0.05}}, "model.optimizer.name=SGD", "model.optimizer.name=Adam"),
        ({"scheduler": {"name": "plateau"}}, "model.scheduler.name=cosine", "model.scheduler.name=plateau"),
        ({"scheduler": None}, "model.scheduler=not set, model.scheduler.name=cosine", "model.scheduler=None"),
    ],
    ids=str,
)
def test_another_model_or_loss_does_not_go_on(
    changed: dict[str, Any], theirs: str, ours: str, checkpoint: Path
) -> None:
    task = make_task(scheduler=COSINE)
    for key, value in changed.items():
        task.hparams[key] = value
    with pytest.raises(ColorizeError) as caught:
        check_resume(checkpoint, task)
    start, _, end = str(caught.value).partition(", but this run has ")
    assert start.startswith(f"ckpt_path={checkpoint} was trained with {theirs}")
    assert end.startswith(ours)
    assert end.endswith(f"start a new training from its weights with model.init_from={checkpoint}.")


@pytest.mark.filterwarnings("ignore")
def test_another_luminance_does_not_go_on(checkpoint: Path) -> None:
    used = torch.load(checkpoint, weights_only=True)["hyper_parameters"]["luminance"]
    other = {"lab": "gray", "gray": "lab"}[used]
    with pytest.raises(ColorizeError, match=rf"model\.luminance={used}, but this run has model\.luminance={other}"):
        check_resume(checkpoint, make_task(scheduler=COSINE, luminance=other))


@pytest.mark.filterwarnings("ignore")
def test_settings_that_the_checkpoint_restores_are_named(
    checkpoint: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    changed = make_task(optimizer={"name": "SGD", "lr": 7.0, "momentum": 0.5}, scheduler=COSINE)
    with caplog.at_level(logging.WARNING):
        check_resume(checkpoint, changed)
    assert caplog.messages == [
        f"ckpt_path={checkpoint} restores model.optimizer.lr=0.05, model.optimizer.momentum=0.9; "
        "what is given here has no effect: model.optimizer.lr=7.0, model.optimizer.momentum=0.5."
    ]
    trainer = make_trainer(tmp_path, max_steps=2)
    trainer.fit(changed, datamodule=make_data(), ckpt_path=checkpoint, weights_only=True)  # and so it is
    (group,) = trainer.optimizers[0].param_groups
    assert (group["initial_lr"], group["momentum"]) == (0.05, 0.9)


@pytest.mark.filterwarnings("ignore")
def test_settings_that_hold_from_now_on_need_no_word(
    checkpoint: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    changed = make_task(scheduler={"name": "cosine", "warmup_fraction": 0.5})
    with caplog.at_level(logging.WARNING):
        check_resume(checkpoint, changed)
    assert caplog.messages == []
    trainer = make_trainer(tmp_path, max_steps=8)
    trainer.fit(changed, datamodule=make_data(), ckpt_path=checkpoint, weights_only=True)
    assert trainer.lr_scheduler_configs[0].scheduler.lr_lambdas[0](1) == 0.5  # the second of four steps of warm-up


def test_nested_settings_have_dotted_keys() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": None}, "e": [1, 2]}) == {"a.b.c": 1, "a.d": None, "e": [1, 2]}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("best_k_models", {"local:///home": 0.1}),
        ("best_k_models", {"RUN/checkpoints/../../home": 0.1}),
        ("kth_best_model_path", "s3://bucket/x.ckpt"),
        ("last_model_path", "local::/home"),
        ("best_model_path", 7),
    ],
)
def test_no_checkpoint_has_files_elsewhere_removed(key: str, file: Any, checkpoint: Path, tmp_path: Path) -> None:
    """Lightning removes what the checkpoint it goes on from says it has kept, once there is a better one."""
    content, task = torch.load(checkpoint, weights_only=True), make_task(scheduler=COSINE)
    state = {"best_k_models": {"/RUN/best.ckpt": 0.1}, "kth_best_model_path": "", "best_model_path": "/RUN/best.ckpt"}
    torch.save(content | {"callbacks": {"x": {}, "ModelCheckpoint": state}}, tmp_path / "mine.ckpt")
    check_resume(tmp_path / "mine.ckpt", task)
    torch.save(content | {"callbacks": {"x": {}, "ModelCheckpoint": state | {key: file}}}, tmp_path / "hostile.ckpt")
    with pytest.raises(ColorizeError, match=r"hostile\.ckpt is refused: .* take its weights with model\.init_from="):
        check_resume(tmp_path / "hostile.ckpt", task)
