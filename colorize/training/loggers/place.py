"""Where a run belongs among others: its sweep, its tags, and the run that it goes on with."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from colorize.cli.config import in_multirun
from colorize.errors import ColorizeError
from colorize.weights.checkpoint import names_of, read_checkpoint


def sweep() -> str | None:
    """The name of a multirun's folder, None in a single run."""
    return Path(HydraConfig.get().sweep.dir).absolute().name if in_multirun() else None


def continued(fit: bool, ckpt_path: str | None) -> Path | None:
    """The checkpoint that names the run to go on with: of a training that resumes, and is no trial of a sweep."""
    return Path(ckpt_path) if fit and ckpt_path is not None and not in_multirun() else None


def check_tags(key: str, tags: Sequence[str]) -> None:
    """Raises a ColorizeError unless the tags that `key` gives are a list."""
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise ColorizeError(f"{key}={tags} is no list: write '{key}=[{tags}]'.")


def choices(evaluated: str | None) -> list[str]:
    """Experiment, model and data of the command line; task and network of a checkpoint that is only evaluated."""
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    groups = ["experiment", "model", "data"] if evaluated is None else ["data"]
    own = [] if evaluated is None else names_of(read_checkpoint(Path(evaluated)))
    return own + [str(chosen[group]) for group in groups if chosen.get(group) is not None]
