"""A run whose folder was moved: its best checkpoints are looked for where they are now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint


def follow_move(trainer: pl.Trainer, checkpoint: Mapping[str, Any]) -> None:
    """Put the folder of each `ModelCheckpoint` of `trainer` into what `checkpoint` says of it, in place.

    Else Lightning forgets how good the best one was, and the next would replace it, better or not. Nothing is changed
    where the best one is not in that folder.
    """
    for saver in trainer.checkpoint_callbacks:
        state = checkpoint.get("callbacks", {}).get(saver.state_key)
        if not isinstance(saver, ModelCheckpoint) or saver.dirpath is None or not state:
            continue
        old, new = Path(state["dirpath"]), Path(saver.dirpath)
        if old != new and Path(_moved(state["best_model_path"], old, new)).is_file():
            state["dirpath"] = saver.dirpath
            state["best_k_models"] = {_moved(path, old, new): score for path, score in state["best_k_models"].items()}
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = _moved(state[key], old, new)


def _moved(path: str, old: Path, new: Path) -> str:
    """The place below `new` of a path below `old`; any other path as it is."""
    return str(new / Path(path).relative_to(old)) if Path(path).is_relative_to(old) else path
