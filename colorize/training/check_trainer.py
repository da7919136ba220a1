"""What can be wrong in the numbers and the precision of a run."""

import math

from omegaconf import DictConfig, OmegaConf
from torch.optim import Optimizer

from colorize.errors import ColorizeError
from colorize.tasks.optim import LR_FACTORS
from colorize.training.config import resolve_precision
from colorize.training.devices import device_ids
from colorize.training.resume.find import flatten

LEAST: dict[str, tuple[int, bool]] = {  # of whole numbers of the Trainer, and whether they may be null
    "max_epochs": (-1, True),
    "max_steps": (-1, False),
    "accumulate_grad_batches": (1, False),
    "check_val_every_n_epoch": (1, True),
    "num_nodes": (1, False),
}
SWITCHES = (
    *("fit", "resume", "compile"),
    *("trainer.fast_dev_run", "trainer.deterministic", "trainer.benchmark"),
    *("trainer.enable_progress_bar", "trainer.enable_model_summary"),
)


def check_switches(cfg: DictConfig) -> None:
    """Hydra reads yes, no, on and off as text, and any text, no and off too, counts as true.

    Raises:
        ColorizeError: a switch that is a text.
    """
    for key in SWITCHES:
        value = OmegaConf.select(cfg, key)
        if isinstance(value, str) and not (key == "trainer.deterministic" and value == "warn"):
            raise ColorizeError(f"{key}={value} is a text: give true or false.")


def check_numbers(cfg: DictConfig) -> None:
    """NumPy takes no other seeds, and Lightning that of an earlier run where there is none; some are not checked by it.

    Raises:
        ColorizeError: a number that cannot be, or a time that is none.
    """
    if type(cfg.seed) is not int or not 0 <= cfg.seed < 2**32:
        raise ColorizeError(f"seed={cfg.seed} must be a whole number from 0 to {2**32 - 1}.")
    for key, (least, optional) in LEAST.items():
        value = cfg.trainer.get(key, least)
        if not (optional and value is None) and (type(value) is not int or value < least):
            raise ColorizeError(f"trainer.{key}={value} must be a whole number of at least {least}.")
    for key, value in flatten(OmegaConf.to_container(cfg.model)).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ColorizeError(f"model.{key}={value} must be a number that is finite.")
    rate = OmegaConf.select(cfg, "model.optimizer.lr")
    if isinstance(rate, str):
        raise ColorizeError(f"model.optimizer.lr={rate} must be a number, such as 3e-4.")
    clip, interval = cfg.trainer.get("gradient_clip_val"), cfg.trainer.get("val_check_interval")
    if isinstance(clip, int | float) and not clip >= 0:
        raise ColorizeError(f"trainer.gradient_clip_val={clip} must be a number of at least 0, or null for no limit.")
    if isinstance(interval, int | float) and not interval > 0:
        raise ColorizeError(
            f"trainer.val_check_interval={interval} must be a number of batches, or a share such as 0.5 of the epoch."
        )
    if cfg.fit and isinstance(interval, str) and _in_several_processes(cfg):
        raise ColorizeError(
            f"trainer.val_check_interval={interval} goes by the clock of each process, which would not agree when to "
            "validate: give several of them a number of batches, or a share such as 0.5 of the epoch."
        )
    time = cfg.trainer.get("max_time")
    if isinstance(time, int | float):
        raise ColorizeError(
            f"trainer.max_time={time} must be DAYS:HOURS:MINUTES:SECONDS, e.g. 00:01:00:00 for an hour."
        )


def _in_several_processes(cfg: DictConfig) -> bool:
    trainer = cfg.trainer
    return trainer.get("num_nodes", 1) > 1 or len(device_ids(trainer.accelerator, trainer.devices)) > 1


def check_frozen(cfg: DictConfig) -> None:
    """What is not trained must have learned something before.

    Raises:
        ColorizeError: the rate of a module is 0, and its weights would be random.
    """
    model = cfg.model
    factors = model.optimizer.get(LR_FACTORS) or {}
    frozen = [name for name, factor in factors.items() if factor == 0]
    if model.get("encoder_weights") is not None:
        frozen = [name for name in frozen if name != "encoder"]
    if frozen and model.get("init_from") is None and cfg.ckpt_path is None:
        raise ColorizeError(
            f"model.optimizer.{LR_FACTORS}.{frozen[0]}=0 would leave {frozen[0]} at random weights: give those it "
            "starts from, model.init_from=photographs or RUN/checkpoints/best.ckpt, or a factor above 0."
        )


def check_precision(cfg: DictConfig) -> None:
    """The "true" half precisions turn the metrics' sums and the colour maths into halves too; colours are float32."""
    precision = str(cfg.trainer.precision)
    if precision in ("64", "64-true"):
        raise ColorizeError(f"trainer.precision={precision} cannot be used, as pictures are float32: use 32-true.")
    if precision.endswith("16-true") or precision.startswith("transformer-engine"):
        mixed = "16-mixed" if precision == "16-true" else "bf16-mixed"
        raise ColorizeError(
            f"trainer.precision={precision} would spoil colours and metrics, which need float32: use {mixed}."
        )


def check_clipping(cfg: DictConfig, optimizer: Optimizer) -> None:
    """An optimizer that divides by the scale of mixed precision itself leaves no moment to clip gradients in."""
    precision = str(resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator))
    if cfg.trainer.gradient_clip_val and "16" in precision and getattr(optimizer, "_step_supports_amp_scaling", False):
        raise ColorizeError(
            f"trainer.gradient_clip_val={cfg.trainer.gradient_clip_val} cannot be used with a fused optimizer in "
            f"trainer.precision={precision}: leave out model.optimizer.fused, or use trainer.gradient_clip_val=null."
        )
