"""Where the configuration is, what it lacks, and whether it is one of a sweep."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from colorize.errors import ColorizeError

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = _PACKAGE / "conf"  # where pyproject.toml puts it; in a checkout it lies beside the package
CONFIG_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "conf"


def check_missing(cfg: DictConfig) -> None:
    """Raises a ColorizeError that names the keys that need a value and have none."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ColorizeError(f"No value is given for {', '.join(missing)}: add {missing[0]}=VALUE.")


def in_multirun() -> bool:
    """Whether this is one of the runs that `-m` or a sweeper starts."""
    return HydraConfig.initialized() and bool(HydraConfig.get().mode == RunMode.MULTIRUN)
