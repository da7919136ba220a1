"""Every YAML of conf/ composes, and every model runs on every data."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
from hydra import compose
from hydra.errors import ConfigCompositionException, InstantiationException, MissingConfigException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from colorize.cli.sentences import sentence
from colorize.errors import ColorizeError
from colorize.training.checks import check
from colorize.training.config import build_task, plain
from colorize.training.loggers import open_loggers
from tests.conf.composing import names, train_config


@pytest.mark.parametrize("data", names("data"))
def test_augmentation_is_one_group_of_every_data(data: str, tmp_path: Path) -> None:
    cfg = train_config(tmp_path, f"data={data}", "data.augment.flip=false", "data.augment.crop_scale=0.5")
    assert cfg.data.augment == {"flip": False, "crop_padding": 0, "crop_scale": 0.5, "crop_size": None, "ageing": 0.0}
    assert not {"flip", "crop_padding", "crop_scale", "crop_size", "ageing"} & cfg.data.keys()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("+data.augment.flp=true", "data.augment.flp is no setting"),
        ("data.augment.crop_scale=2", "data.augment.crop_scale is 2"),
        ("data.augment.ageing=2", "data.augment.ageing is 2"),
        ("data.augment.flip=3", "data.augment.flip is 3"),
    ],
)
def test_wrong_augmentation_is_named(override: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InstantiationException) as caught:
        instantiate(train_config(tmp_path, override).data)
    assert words in sentence(caught.value)


@pytest.mark.parametrize("key", ["data.flip", "data.augment.flp"])
def test_a_key_of_old_or_a_slip_is_told_where_it_is(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException) as caught:
        train_config(tmp_path, f"{key}=true")
    said = sentence(caught.value)
    assert key in said
    assert "did you mean data.augment.flip?" in said


@pytest.mark.parametrize(
    "choice", [*(f"model={name}" for name in names("model")), *(f"experiment={name}" for name in names("experiment"))]
)
def test_every_lab_model_sees_what_a_gray_photograph_has(choice: str, tmp_path: Path) -> None:
    model = train_config(tmp_path, choice, f"cache_dir={tmp_path}").model
    assert model.get("luminance") == ("gray" if ".Lab" in model._target_ else None)


TASKS = {"model=lab_unet": "LabTask", "model=lab_encoder_unet": "LabTask"}
TASKS |= {"model=lab_bins": "LabBinsTask", "model=lab_hybrid": "LabHybridTask"}


@pytest.mark.parametrize("choice", TASKS)
@pytest.mark.parametrize(("name", "network"), [("unet", "UNet"), ("encoder_unet", "EncoderUNet")])
def test_lab_models_run_on_either_network(choice: str, name: str, network: str, tmp_path: Path) -> None:
    cfg = train_config(tmp_path, choice, f"model/network={name}", "model.optimizer.lr=1e-4")
    check(cfg)
    task = build_task(cfg)
    assert (type(task).__name__, type(task.network).__name__) == (TASKS[choice], network)
    assert cfg.model.encoder_weights == ("imagenet" if network == "EncoderUNet" else None)
    assert cfg.model.optimizer.get("lr_factors") == ({"encoder": 0.5} if network == "EncoderUNet" else None)
    assert (cfg.model.optimizer.name, cfg.model.optimizer.lr) == ("AdamW", 1e-4)


def test_a_model_that_is_not_there_is_told_all_that_are(tmp_path: Path) -> None:
    with pytest.raises(MissingConfigException) as caught:
        train_config(tmp_path, "model=lab_bin")
    said = sentence(caught.value)
    assert "lab_bins" in said
    assert all(name in said for name in names("model"))
    assert "network" not in said.replace("lab_network", "")


@pytest.mark.parametrize("choice", ["model=rgb_unet", "model=lab_bins"])
def test_a_network_that_cannot_be_chosen_is_refused(choice: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException) as caught:
        train_config(tmp_path, choice, "model/network=unett")
    assert "model/network" in sentence(caught.value)


@pytest.mark.parametrize("logger", names("logger"))
def test_every_logger_includes_the_csv(logger: str, tmp_path: Path) -> None:
    assert "csv" in plain(train_config(tmp_path, f"logger={logger}"))["logger"]


def test_the_csv_logger_writes_into_the_run_folder(tmp_path: Path) -> None:
    with open_loggers(train_config(tmp_path)) as (logger,):
        logger.log_metrics({"a": 1.0}, step=0)
    assert (tmp_path / "metrics.csv").read_text().startswith("a,step")


@pytest.mark.parametrize("trainer", names("trainer"))
def test_every_trainer_composes(trainer: str, tmp_path: Path) -> None:
    assert plain(train_config(tmp_path, f"trainer={trainer}"))["trainer"]["precision"] == "auto"


def test_predict_composes() -> None:
    assert OmegaConf.missing_keys(compose("predict")) == {"input"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data", names("data"))
@pytest.mark.parametrize("model", names("model"))
def test_every_model_runs_on_every_data(model: str, data: str, roots: dict[str, Path], tmp_path: Path) -> None:
    overrides = [f"model={model}", f"data={data}", "data.batch_size=4", "trainer.fast_dev_run=true"]
    overrides += ["trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.enable_progress_bar=false"]
    if data in roots:
        overrides += [f"data.root={roots[data]}", f"cache_dir={tmp_path}"]
    if data == "paired":
        overrides += ["data.colored=."]
    if data in ("landscapes", "photographs", "paired"):
        overrides += ["data.val_fraction=0.3", "data.test_fraction=0.3"]
    overrides.append("data.image_size=32")
    cfg = train_config(tmp_path, *overrides)
    check(cfg)
    pl.seed_everything(0, verbose=False)
    task, datamodule = build_task(cfg), instantiate(cfg.data)
    before = [parameter.clone() for parameter in task.parameters()]
    trainer = instantiate(cfg.trainer)
    trainer.fit(task, datamodule=datamodule)
    assert any((a != b).any() for a, b in zip(before, task.parameters(), strict=True))
    trainer.test(task, datamodule=datamodule, verbose=False)
    metrics = trainer.callback_metrics
    for metric in ("mse", "mae", "psnr", "psnr_per_image", "ssim"):
        assert metrics[f"test/{metric}"].isfinite()
        assert f"floor/{metric}" in metrics
    if model == "gray_cae":
        assert "test/delta_e" not in metrics
    else:
        assert metrics["floor/mse_ratio"] == pytest.approx(1, abs=1e-5)
        assert metrics["floor/colorfulness_ratio"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data=landscapes", "data.root=/does/not/exist"], "data.root=/does/not/exist is not a folder"),
        (["data=photographs"], "No value is given for data.root: add data.root=VALUE"),
        (["data=photographs", "data.root=[/,/does/not/exist]"], "data.root=/does/not/exist is not a folder"),
        (["callbacks.checkpoint.monitor=val/pnsr"], "callbacks.checkpoint.monitor=val/pnsr is not known when a"),
        (["data.image_size=8"], "data.image_size=8 is too small for UNet, which needs at least 32"),
        (["model=rgb_convnet", "data.image_size=6"], "image_size is 6, but ConvNet needs at least 8"),
        (["model.init_from=/does/not/exist.ckpt"], "model.init_from=/does/not/exist.ckpt does not exist"),
        (
            ["experiment=landscapes_lab_encoder_unet", "data=scenes"],
            "lr_factors.encoder=0 would leave encoder at random",
        ),
        (
            ["experiment=photographs_hybrid", "data=scenes", "model.encoder_weights=imagenet"],
            "lr_factors.decoder=0 would leave decoder at random weights: give those it starts from",
        ),
        (["model.init_from=photograph"], "hf://USER/NAME, cifar10, landscapes, photographs, or null"),
        (["fit=false"], "add ckpt_path="),
        (["ckpt_path=/does/not/exist.ckpt"], "ckpt_path=/does/not/exist.ckpt does not exist"),
        (["model.network.name=Unet"], "did you mean UNet?"),
        (["+model.network.colour=3"], "unexpected keyword argument 'colour'"),
        (["model=lab_bins", "model.grid=2"], "model.grid is 2, but must be a whole number from 4 to 50"),
        (["model=lab_hybrid", "model.temperature=0"], "model.temperature is 0, but must be above 0"),
        (["model=lab_bins", "+model.loss.grid=5"], "multiple values for argument 'grid'"),
        (["model=lab_bins", "model.loss.name=mse"], "model.loss.name 'mse' is unknown. Known: soft_cross_entropy"),
        (
            ["model=lab_hybrid", "model.cross_entropy_loss.sigma=0"],
            "model.cross_entropy_loss: soft_cross_entropy",
        ),
        (["model=lab_bins", "model.loss.uniform_share=0"], "uniform_share is 0, but must be above 0 and at most 1"),
        (["model.network.norm=layer"], "must be one of batch, group, instance, none"),
        (["model.loss.name=l2"], "Known: l1, mse, relative_smooth_l1, smooth_l1"),
        (["model.optimizer.name=Adams"], "did you mean Adam"),
        (["model.scheduler.name=cosinus"], "did you mean cosine?"),
        (["model.scheduler=cosine"], "model.scheduler must be a mapping with a name"),
        (["trainer.precision=bf16-true"], "use bf16-mixed"),
        (["trainer.precision=16-true"], "use 16-mixed"),
        (["trainer.max_epochs=???"], "No value is given for trainer.max_epochs"),
    ],
)
def test_mistakes_are_found_before_anything_is_built(overrides: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises((ColorizeError, InstantiationException)) as caught:
        check(train_config(tmp_path, *overrides))
    error = caught.value if isinstance(caught.value, ColorizeError) else caught.value.__cause__
    assert isinstance(error, ColorizeError)
    assert words in str(error)
    assert "\n" not in str(error)
