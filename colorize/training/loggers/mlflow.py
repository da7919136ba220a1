"""A run in MLflow: where it belongs, its parameters, its model.

Nothing here imports mlflow before `logger=mlflow` is chosen.
"""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pytorch_lightning.loggers import MLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError, first_line
from colorize.files import expand_home
from colorize.training.loggers.place import check_tags, choices, continued, sweep
from colorize.weights.checkpoint import read_checkpoint

DATABASE = "mlflow.db"


def mlflow_logger(
    folder: str,
    experiment: str,
    name: str,
    tracking_uri: str | None = None,
    tags: Sequence[str] = (),
    fit: bool = True,
    ckpt_path: str | None = None,
) -> MLFlowLogger:
    """Start an MLflow run, in the database of `folder` or on the server `tracking_uri`.

    A training that resumes from `ckpt_path` goes on in the MLflow run that its checkpoint names, if that is there. An
    evaluation (not `fit`) and each run of a multirun, whose folder is the tag `sweep`, is a run of its own. Tags too
    are each of `tags` and the names of experiment, model and data, or of the task and network of a checkpoint that is
    only evaluated.

    Raises:
        ColorizeError: mlflow is missing, tags that are no list, a run id in the checkpoint that cannot be one, or what
            MLflow refuses.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
        import sqlalchemy  # which mlflow-skinny does without until it opens a database
    except ModuleNotFoundError as error:
        raise ColorizeError("logger=mlflow needs the mlflow package: pip install 'colorize[mlflow]'.") from error
    check_tags("logger.mlflow.tags", tags)
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # its INFO tells how it makes its tables
    named = dict.fromkeys([*map(str, tags), *choices(None if fit else ckpt_path)], "true")
    named["job"] = "train" if fit else "evaluate"
    if (name_of_sweep := sweep()) is not None:
        named["sweep"] = name_of_sweep
    checkpoint = continued(fit, ckpt_path)
    database_folder = expand_home(folder).absolute()
    uri = tracking_uri or f"sqlite:///{database_folder / DATABASE}"
    try:
        run_id = read_run_id(checkpoint) if checkpoint else None
        if run_id is not None and not _has_run(uri, run_id):
            run_id = None
        logger = MLFlowLogger(experiment, run_name=name, tracking_uri=uri, tags=named, run_id=run_id)
        _make_experiment(logger, None if tracking_uri else database_folder, experiment)
    except (mlflow.MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        raise ColorizeError(f"MLflow refuses the run: {first_line(error).rstrip('.')}. Fix logger.mlflow.*.") from error
    return logger


def read_run_id(checkpoint: Path) -> str | None:
    """The id of the MLflow run that a checkpoint was written by, None if by a run without MLflow.

    Raises:
        ColorizeError: as `read_checkpoint`, or an id that MLflow does not give.
    """
    run_id = read_checkpoint(checkpoint).get("mlflow_run_id")
    if run_id is not None and not (isinstance(run_id, str) and re.fullmatch(r"[0-9a-zA-Z_]{1,64}", run_id)):
        raise ColorizeError(f"The mlflow_run_id in {checkpoint} is no id of an MLflow run: resume it with logger=csv.")
    return run_id


def _has_run(uri: str, run_id: str) -> bool:
    import mlflow

    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        return False
    try:
        return bool(mlflow.MlflowClient(uri).get_run(run_id).info.lifecycle_stage == "active")
    except mlflow.MlflowException:
        return False


@rank_zero_only
def _make_experiment(logger: MLFlowLogger, folder: Path | None, name: str) -> None:
    """Begin the run; of several that start at once, one makes the database and the experiment."""
    if folder is None:
        _ = logger.experiment
        return
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        import mlflow

        client = mlflow.MlflowClient(f"sqlite:///{folder / DATABASE}")
        if client.get_experiment_by_name(name) is None:
            client.create_experiment(name, artifact_location=(folder / "artifacts").as_uri())
        _ = logger.experiment


@rank_zero_only
def log_configuration(logger: MLFlowLogger, configuration: dict[str, Any]) -> None:
    """Keep the configuration as parameters; a run that goes on keeps its own, which MLflow lets nobody change."""
    if not logger.experiment.get_run(logger.run_id).data.params:
        logger.log_hyperparams(configuration)


@rank_zero_only
def log_results(logger: MLFlowLogger, metrics: Mapping[str, Any], checkpoint: str | None) -> None:
    """Add to an MLflow run the `checkpoint` it trained, as the artifact `checkpoints/best.ckpt`, and its facts."""
    facts = {name: value for name, value in metrics.items() if "/" not in name and isinstance(value, int | float)}
    logger.log_metrics(facts)  # of the others the test was logged by the Trainer
    if checkpoint is not None:
        logger.experiment.log_artifact(logger.run_id, checkpoint, "checkpoints")
