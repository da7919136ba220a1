"""Where the configuration is, and what it lacks."""

from pathlib import Path

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
