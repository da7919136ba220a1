"""Where a run belongs among others: its sweep, and what was chosen for it."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from colorize.cli.config import in_multirun
from colorize.weights.checkpoint import names_of, read_checkpoint


def sweep() -> str | None:
    """The name of a multirun's folder, None in a single run."""
    return Path(HydraConfig.get().sweep.dir).absolute().name if in_multirun() else None


def choices(evaluated: str | None) -> list[str]:
    """Experiment, model and data of the command line; task and network of a checkpoint that is only evaluated."""
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    groups = ["experiment", "model", "data"] if evaluated is None else ["data"]
    own = [] if evaluated is None else names_of(read_checkpoint(Path(evaluated)))
    return own + [str(chosen[group]) for group in groups if chosen.get(group) is not None]
