"""resume=true: which checkpoint a run goes on from, whether it is the same run, and the command that goes on."""

import logging
import shlex
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only

from colorize import program
from colorize.cli.quoting import quote_if_needed
from colorize.errors import ColorizeError
from colorize.files import remove_temporaries
from colorize.training.config import plain, resolve_precision
from colorize.training.resume.checkpoint_io import PREVIOUS
from colorize.weights.checkpoint import read_checkpoint

log = logging.getLogger(__name__)
HARMLESS = (  # settings that do not change what is learned
    "callbacks.architecture.",
    "callbacks.checkpoint.dirpath",
    "callbacks.curves.",
    "callbacks.last.",
    "callbacks.lr_monitor.",
    "callbacks.perceptual.",
    "callbacks.samples.",
    "logger.",
    "cache_dir",
    "ckpt_path",
    "data.cache_dir",
    "data.cache_gb",
    "data.num_workers",
    "data.storage_options",
    "debug",
    "resume",
    "run_dir",
    "trainer.default_root_dir",
    "trainer.enable_",
    "trainer.limit_test_batches",
    "trainer.log_every_n_steps",
)
ENDS = ("trainer.max_epochs",)  # may be raised


def adopt_last_checkpoint(cfg: DictConfig) -> None:
    """Put into `cfg.ckpt_path` the checkpoint that `resume=true` goes on from; say so where there is none.

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
    say = rank_zero_only(log.warning)
    if found is None:
        say("resume=true: %s holds no checkpoint yet, so the training starts from the beginning.", folder)
        return
    checkpoint = read_checkpoint(found)
    check_same_run(found, checkpoint.get("config", {}), cfg)
    say("resume=true: goes on from %s, step %s of epoch %s.", found, checkpoint["global_step"], checkpoint["epoch"])
    cfg.ckpt_path = str(found)
    warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # as it should


def newest_intact(folder: Path) -> Path | None:
    """last.ckpt, or the one before where that is damaged, which is said; None where neither is there.

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


def check_same_run(path: Path, theirs: Mapping[str, Any], cfg: DictConfig) -> None:
    """Raises a ColorizeError that names the settings in which another training would follow from `cfg`."""
    ours = plain(cfg)
    ours["trainer"]["precision"] = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    before = {"compile": False, **_movable(flatten(theirs))}  # a key that older runs lack
    now = _movable(flatten(ours))
    changed = [
        key
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
        and not key.startswith(HARMLESS)
        and not (key in ENDS and _is_later(before.get(key), now.get(key)))
    ]
    if changed:
        was = ", ".join(f"{key}={before.get(key, 'not set')}" for key in changed)
        given = ", ".join(f"{key}={now.get(key, 'not set')}" for key in changed)
        raise ColorizeError(
            f"resume=true cannot go on exactly: {path} was trained with {was}, but this run has {given}; give the "
            "former, or ckpt_path for a training that may differ."
        )


def _movable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with places in the run's folder relative to it."""
    folder = f"{settings.get('run_dir')}/"
    return {key: item.removeprefix(folder) if isinstance(item, str) else item for key, item in settings.items()}


def _is_later(before: Any, now: Any) -> bool:
    return now == -1 or (isinstance(before, int) and isinstance(now, int) and now > before)


def flatten(value: Any, key: str = "") -> dict[str, Any]:
    """Nested mappings as one of dotted keys: {"a": {"b": 1}} -> {"a.b": 1}."""
    if not isinstance(value, Mapping):
        return {key: value}
    return {k: v for name, item in value.items() for k, v in flatten(item, f"{key}.{name}" if key else name).items()}


def command_to_go_on(run_dir: str) -> str:
    """The command line of this process, with what makes it go on in its folder."""
    hydra = HydraConfig.get() if HydraConfig.initialized() else None
    sweep = hydra is not None and hydra.mode == RunMode.MULTIRUN
    key, folder = ("hydra.sweep.dir", hydra.sweep.dir) if hydra and sweep else ("hydra.run.dir", run_dir)
    left_out = ("resume=", "ckpt_path=", f"{key}=", "hydra.job.name=", "hydra.output_subdir=")
    words = [word for word in sys.argv[1:] if not word.startswith(left_out)]
    if hydra and sweep and hydra.runtime.choices.get("hydra/sweeper") == "optuna":  # whose trials are not resumed
        return f"{program.command()} {shlex.join(words)}"
    words += [f"{key}={quote_if_needed(folder)}", "resume=true"]
    return f"{program.command()} {shlex.join(words)}"
