"""Sweeps and launchers as they are composed: what they ask for, and what cannot start."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from colorize.cli.config import CONFIG_DIR
from colorize.compare.sweeps import CompareRuns
from colorize.errors import ColorizeError
from colorize.training.check_trainer import check_strategy
from colorize.training.checks import check


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))


def composed(*overrides: str) -> DictConfig:
    cfg: DictConfig = compose("train", [*overrides, "hydra.sweep.dir=SWEEP"], return_hydra_config=True)
    return cfg


def job(*overrides: str) -> DictConfig:
    """The configuration of one job of a multirun."""
    cfg = composed(*overrides, "hydra.mode=MULTIRUN", "hydra.job.num=0", "hydra.runtime.output_dir=RUN")
    HydraConfig.instance().set_config(cfg)
    return cfg


def batches(cfg: DictConfig, *arguments: str) -> list[list[list[str]]]:
    """The jobs of a sweep, as Hydra's own sweeper makes them."""
    params = [f"{key}={value}" for key, value in (cfg.hydra.sweeper.params or {}).items()]
    overrides = OverridesParser.create().parse_overrides([*params, *arguments])
    made: list[list[list[str]]] = BasicSweeper.split_arguments(overrides, cfg.hydra.sweeper.max_batch_size)
    return made


@pytest.mark.parametrize("choice", [f"{group}={name}" for group in ("sweep", "launcher") for name in names(group)])
def test_every_sweep_and_launcher_is_a_multirun_by_itself(choice: str) -> None:
    assert composed(choice).hydra.mode == RunMode.MULTIRUN


@pytest.mark.parametrize("choice", [f"{group}={name}" for group in ("model", "data") for name in names(group)])
def test_every_model_and_data_has_the_hyperparameters_of_the_search(choice: str) -> None:
    params = composed("sweep=optuna").hydra.sweeper.params
    composed(choice, *(f"{key}=1" for key in params))  # Hydra refuses a key that is not there


@pytest.mark.parametrize(("monitor", "mode", "direction"), [("loss", "min", "minimize"), ("psnr", "max", "maximize")])
def test_the_search_follows_what_the_checkpoint_monitors(monitor: str, mode: str, direction: str) -> None:
    monitored = (f"callbacks.checkpoint.monitor=val/{monitor}", f"callbacks.checkpoint.mode={mode}")
    assert composed("sweep=optuna", *monitored).hydra.sweeper.direction == direction


def test_a_study_is_that_of_the_command() -> None:
    def study(*overrides: str) -> Any:
        return composed(*overrides).hydra.sweeper.study_name

    name = study("sweep=optuna", "model=rgb_cae", "data=cifar10")
    assert name == "data=cifar10,model=rgb_cae"
    assert study("data=cifar10", "model=rgb_cae", "launcher=joblib", "sweep=optuna", "hydra.sweeper.n_trials=3") == name
    assert study("sweep=optuna", "model=rgb_cae", "data=cifar10", "trainer.max_epochs=3") != name


def test_no_colorizer_is_in_a_batch_with_an_autoencoder() -> None:
    kinds = [
        {experiment.split("_")[0] for experiment, *_ in batch}
        for batch in batches(composed("sweep=autoencoders"), "seed=1,2", "data=cifar10,scenes")
    ]
    assert kinds == [{"experiment=autoencoder"}] * 4 + [{"experiment=colorizer"}] * 4


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_colorizer_starts_from_the_best_checkpoint_of_its_autoencoder(number: int) -> None:
    shared = ("sweep=autoencoders", "seed=7", "data=scenes")
    before = job(f"experiment=autoencoder_{number}", *shared)
    best = f"{before.hydra.sweep.dir}/{before.hydra.sweep.subdir}/checkpoints/best.ckpt"
    cfg = job(f"experiment=colorizer_{number}", *shared)
    assert best == cfg.model.init_from == f"SWEEP/autoencoder_{number}_scenes_seed7/checkpoints/best.ckpt"


def test_a_sweep_mixes_models_and_settings() -> None:
    arguments = ("model=lab_cae,lab_unet", "model.optimizer.lr=1e-3,3e-4", "seed=1,2", "data=scenes")
    (jobs,) = batches(composed(), *arguments)
    configs = [job(*words) for words in jobs]
    for cfg in configs:
        check(OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"]))
    seen = {(cfg.model.network.name, cfg.model.optimizer.lr, cfg.seed) for cfg in configs}
    assert len(seen) == len(jobs) == 8


@pytest.mark.parametrize("devices", [1, 4])
def test_submitit_asks_slurm_for_a_process_per_device(devices: int) -> None:
    launcher = composed("launcher=submitit", f"trainer.devices={devices}", "trainer.num_nodes=2").hydra.launcher
    assert launcher._target_.endswith("SlurmLauncher")
    assert (launcher.nodes, launcher.tasks_per_node, launcher.gpus_per_node) == (2, devices, devices)


def test_ranks_that_slurm_starts_may_be_several() -> None:
    check_strategy(job("launcher=submitit", "trainer.devices=4", "trainer.strategy=ddp"))


@pytest.mark.parametrize(
    "overrides",
    [
        ("launcher=joblib", "trainer.devices=4"),
        ("launcher=submitit_local", "trainer.devices=4"),
        ("launcher=submitit", "trainer.devices=4", "hydra.launcher.tasks_per_node=1"),
    ],
)
def test_ranks_that_nobody_starts_are_refused(overrides: tuple[str, ...]) -> None:
    with pytest.raises(ColorizeError, match=r"trainer\.devices=4 cannot run in a multirun"):
        check_strategy(job(*overrides, "trainer.strategy=ddp"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["launcher=submitit", "seed=1,2"], "no srun of Slurm"),
        (["sweep=autoencoders", "seed=1,2", "model.optimizer.lr=1e-3,1e-4"], r"differ in model\.optimizer\.lr"),
    ],
)
def test_a_multirun_that_would_fail_or_lose_runs_does_not_start(
    overrides: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    plain = [override for override in overrides if "," not in override]
    cfg = composed(*plain)
    cfg.hydra.overrides.task = overrides  # compose() itself takes no sweeps
    with pytest.raises(SystemExit, match=message):
        CompareRuns().on_multirun_start(cfg)


def test_a_search_says_that_it_prunes_nothing_and_where_it_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/new/study.db"
    CompareRuns().on_multirun_start(composed("sweep=optuna", f"hydra.sweeper.storage.url={url}"))
    assert capsys.readouterr().out == f"Optuna: 20 trials, none of them pruned; the study is kept in {url}\n"
    assert (tmp_path / "new").is_dir()


def test_a_study_whose_folder_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cfg = composed("sweep=optuna", f"hydra.sweeper.storage.url=sqlite:///{tmp_path}/file/study.db")
    with pytest.raises(SystemExit, match=r"file/study\.db cannot be made: .*Name another file"):
        CompareRuns().on_multirun_start(cfg)


def test_trials_are_not_resumed_nor_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    search = ("sweep=optuna", f"hydra.sweeper.storage.url=sqlite:///{tmp_path}/study.db")
    with pytest.raises(SystemExit, match=r"resume=true cannot go on with trials of Optuna, .* leave it out"):
        CompareRuns().on_multirun_start(composed(*search, "resume=true"))
    Path("SWEEP/0").mkdir(parents=True)
    CompareRuns().on_multirun_start(composed(*search))
    Path("SWEEP/0/config.yaml").touch()
    with pytest.raises(SystemExit, match=r"SWEEP holds trials that this start would overwrite: leave out hydra\.sweep"):
        CompareRuns().on_multirun_start(composed(*search))


def test_a_study_of_no_trials_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"hydra\.sweeper\.n_trials is 0, but must be at least 1"):
        CompareRuns().on_multirun_start(composed("sweep=optuna", "hydra.sweeper.n_trials=0"))
