"""What a checkpoint holds beside the weights: the configuration, and the run of a logger that goes on with it."""

from types import SimpleNamespace
from typing import Any

import pytest
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, WandbLogger

from colorize.training.callbacks import SaveConfig


class Wandb(WandbLogger):
    def __init__(self) -> None: ...

    version = "a-run"


class MLFlow(MLFlowLogger):
    def __init__(self) -> None: ...

    version = "f" * 32


@pytest.mark.parametrize(
    ("loggers", "runs"),
    [
        ([], {}),
        ([CSVLogger("x", version="v")], {}),
        ([Wandb()], {"wandb_run_id": "a-run"}),
        ([CSVLogger("x"), MLFlow(), Wandb()], {"wandb_run_id": "a-run", "mlflow_run_id": "f" * 32}),
    ],
    ids=["none", "csv", "wandb", "several"],
)
def test_a_checkpoint_names_the_configuration_and_the_runs(loggers: list[Logger], runs: dict[str, str]) -> None:
    trainer: Any = SimpleNamespace(loggers=loggers)
    module: Any = None
    checkpoint: dict[str, Any] = {}
    SaveConfig({"seed": 3}).on_save_checkpoint(trainer, module, checkpoint)
    assert checkpoint == {"config": {"seed": 3}, **runs}
