"""The command line's manners: a mistake gets one sentence and exit code 1, a fault of ours its traceback."""

import functools
import os
import sys
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException, InstantiationException, MissingConfigException
from hydra.types import RunMode
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize.errors import ColorizeError, first_line
from colorize.registry import unknown

T = TypeVar("T")
CONFIG_DIR = Path(__file__).resolve().parent.parent / "conf"
NOISE = (
    r".*LeafSpec.* is deprecated",  # Lightning's use of torch
    r"The number of training batches .* is smaller than the logging interval",  # the epoch's mean is logged anyway
    r".*does not have many workers",  # batches come from memory, workers would only slow them
)
PLUGINS = {  # the extra that brings a choice of one of Hydra's own groups
    "hydra/sweeper": {"optuna": "optuna"},
    "hydra/sweeper/sampler": {"tpe": "optuna"},
    "hydra/launcher": {"joblib": "joblib", "submitit_slurm": "submitit", "submitit_local": "submitit"},
}
NO_TRIAL = ("No trials are completed yet.", "Record does not exist.")  # Optuna, asked for the best of none
MISTAKES = (ColorizeError, HydraException, OmegaConfBaseException, MisconfigurationException)


def run(main: Callable[[], None]) -> None:
    """Run a `hydra.main` function; mistakes found while the configuration is composed end here."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them itself
    try:
        main()
    except MISTAKES as error:
        _report(error)
    except ValueError as error:
        if str(error) not in NO_TRIAL:
            raise
        _report(ColorizeError("No trial of this study has a result yet: every one failed, for the reasons above."))


def one_sentence(job: Callable[[DictConfig], T]) -> Callable[[DictConfig], T]:
    """Decorates a job: a mistake ends the process with its sentence; in a multirun it is raised."""

    @functools.wraps(job)
    def wrapped(cfg: DictConfig) -> T:
        for message in NOISE:  # here, since a launcher's processes begin here
            warnings.filterwarnings("ignore", message)
        try:
            return job(cfg)
        except MISTAKES as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            _report(error)

    return wrapped


def _report(error: Exception) -> NoReturn:
    if "debug=true" in sys.argv:
        raise error
    sys.stderr.write(f"error: {sentence(error)}\n")
    raise SystemExit(1) from None


def sentence(error: Exception) -> str:
    """What was wrong, where, and how to mend it, on one line."""
    cause = error.__cause__
    match error:
        case InstantiationException() if isinstance(cause, (ColorizeError, HydraException)):
            text = sentence(cause)
        case InstantiationException() if cause is not None:
            text = f"{_full_key(error)}: {cause}"
        case MissingConfigException() if error.missing_cfg_file:
            group, _, name = str(error.missing_cfg_file).rpartition("/")
            if name in PLUGINS.get(group, {}):
                return f"{group}={name} needs a plugin of Hydra: pip install 'colorize[{PLUGINS[group][name]}]'."
            ours = sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))
            text = unknown(group, name, ours or sorted(error.options or []))
        case ConfigCompositionException() if str(error).startswith("Could not override '"):
            text = _unknown_key(str(error).split("'")[1])
        case ConfigCompositionException() if str(error).startswith("Ambiguous value for argument"):
            text = f"{str(error).splitlines()[0]}: several values need -m (python train.py -m ...), a list [1,2]."
        case ConfigCompositionException() if cause is not None:
            text = f"{error}: {first_line(cause)}"
        case _:
            text = first_line(error)
    return " ".join(text.split())


def _full_key(error: InstantiationException) -> str:
    marker = "full_key: "
    text = str(error)
    return text.partition(marker)[2] if marker in text else text.splitlines()[0]


def _unknown_key(key: str) -> str:
    """The sentence for an override of a key that the configuration does not have."""
    GlobalHydra.instance().clear()
    known: list[str] = []
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        for name in ("train", "predict"):
            known += _keys(compose(name))
    groups = sorted(path.name for path in CONFIG_DIR.iterdir() if path.is_dir())
    near = get_close_matches(key, known + groups, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the groups are {', '.join(groups)}."
    return f"{key} is no key of the configuration: {hint} (A new key is added with +{key}=VALUE.)"


def _keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name in cfg:
        key = f"{prefix}{name!s}"
        keys.append(key)
        if OmegaConf.is_dict(cfg) and isinstance(cfg._get_node(str(name)), DictConfig):
            keys += _keys(cfg[name], f"{key}.") if cfg[name] is not None else []
    return keys
