"""resume=true: which checkpoint a run goes on from."""

import logging
import warnings
import zipfile
from pathlib import Path

from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError
from colorize.files import remove_temporaries
from colorize.training.resume.checkpoint_io import PREVIOUS
from colorize.training.resume.same_run import check_same_run
from colorize.weights.checkpoint import read_checkpoint

log = logging.getLogger(__name__)


def adopt_last_checkpoint(cfg: DictConfig) -> None:
    """Put into `cfg.ckpt_path` the checkpoint that `resume=true` goes on from; warn where there is none.

    Raises:
        ColorizeError: `resume` without training or beside `ckpt_path`, no intact checkpoint among those that are there,
            or a configuration that another training than the checkpoint's would follow from.
    """
    if not cfg.resume:
        return
    if not cfg.fit or cfg.ckpt_path is not None:
        raise ColorizeError("resume=true finds the checkpoint to train on from by itself: leave out ckpt_path and fit.")
    if not cfg.callbacks.get("last"):
        raise ColorizeError("resume=true needs callbacks.last, which writes the checkpoint that a run goes on from.")
    folder = Path(cfg.callbacks.last.dirpath)
    rank_zero_only(remove_temporaries)(folder)
    found = newest_intact(folder)
    warn = rank_zero_only(log.warning)
    if found is None:
        warn("resume=true: %s holds no checkpoint yet, so the training starts from the beginning.", folder)
        return
    checkpoint = read_checkpoint(found)
    check_same_run(found, checkpoint.get("config", {}), cfg)
    warn("resume=true: goes on from %s, step %s of epoch %s.", found, checkpoint["global_step"], checkpoint["epoch"])
    cfg.ckpt_path = str(found)
    warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # as it should


def newest_intact(folder: Path) -> Path | None:
    """last.ckpt, or the one before where that is damaged, with a warning; None where neither is there.

    Raises:
        ColorizeError: all that are there are damaged.
    """
    last, previous = folder / "last.ckpt", folder / PREVIOUS
    if last.is_file() and is_intact(last):
        return last
    if previous.is_file() and is_intact(previous):
        rank_zero_only(log.warning)("%s is damaged or missing: %s is used.", last, previous)
        rank_zero_only(_put_aside)(last)
        return previous
    there = " and ".join(str(path) for path in (last, previous) if path.is_file())
    if there:
        raise ColorizeError(f"{there} cannot be read: move it away and start anew, or give ckpt_path=best.ckpt.")
    return None


def _put_aside(damaged: Path) -> None:
    """So that it does not become the checkpoint before the next one."""
    if damaged.is_file():
        damaged.replace(damaged.with_name("damaged.ckpt"))


def is_intact(path: Path) -> bool:
    """Whether the checksums in a checkpoint, which is a ZIP archive, are right."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, EOFError, ValueError):
        return False
