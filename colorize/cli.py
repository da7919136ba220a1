"""How the scripts read the command line and end: a mistake with one sentence, a fault of ours with its traceback."""

import functools
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from hydra.types import RunMode
from omegaconf import BooleanNode, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize import interrupt, program
from colorize.errors import ColorizeError, first_line
from colorize.registry import explain_unknown

T = TypeVar("T")
PATH_KEYS = ("input", "output", "checkpoint")
_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "conf"  # where pyproject.toml puts it; in a checkout it lies beside the package
CONFIG_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "conf"
NOISE = (
    r".*LeafSpec.* is deprecated",  # Lightning's use of torch
    r"The number of training batches .* is smaller than the logging interval",  # the epoch's mean is logged anyway
    r".*does not have many workers",  # batches come from memory, workers would only slow them
)
EXTRAS = {  # the extra that brings each of these choices of Hydra's own groups
    "hydra/sweeper": {"optuna": "optuna"},
    "hydra/sweeper/sampler": {"tpe": "optuna"},
    "hydra/launcher": {"joblib": "joblib", "submitit_slurm": "submitit", "submitit_local": "submitit"},
}
_KEY_AND_HOME = re.compile(r"([\w./@+]+)=(~[^,'\"=()\[\]{}]*)")
NO_TRIAL = ("No trials are completed yet.", "Record does not exist.")  # Optuna, asked for the best of none


def launch(main: Callable[[], None], config: str) -> None:
    """Call the `hydra.main` function of `conf/CONFIG.yaml`; mistakes found while that is composed end here.

    Raises:
        SystemExit: 1 for a mistake, 130 for Ctrl-C.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them itself
    sys.argv[1:] = [expand_home(word) for word in sys.argv[1:]]
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped.\n")
        raise SystemExit(130) from None
    except Exception as error:
        if isinstance(error, ValueError) and str(error) in NO_TRIAL:
            error = ColorizeError("No trial of this study has a result yet: every one failed, for the reasons above.")
        if isinstance(error, ValueError) and str(error).startswith("Config group override must be"):
            error = ColorizeError(_no_choice())
        if not is_mistake(error):
            raise
        print_error(error, _debug_in(sys.argv[1:]), config)


def expand_home(word: str) -> str:
    """A command line word KEY=~/PATH as KEY='/HOME/PATH', since Hydra's grammar has no ~; any other as it is."""
    found = _KEY_AND_HOME.fullmatch(word)
    return f"{found[1]}={quote(os.path.expanduser(found[2]))}" if found else word  # noqa: PTH111 # of anyone or no one


def explain_mistakes(job: Callable[[DictConfig], T]) -> Callable[[DictConfig], T]:
    """Decorates a job: a mistake ends the process with its sentence; in a multirun it is raised."""

    @functools.wraps(job)
    def wrapped(cfg: DictConfig) -> T:
        interrupt.restore()
        for message in NOISE:  # here, since a launcher's processes begin here
            warnings.filterwarnings("ignore", message)
        try:
            return job(cfg)
        except Exception as error:
            if not is_mistake(error) or HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            print_error(error, _is_true(cfg.debug))

    return wrapped


def is_mistake(error: BaseException) -> bool:
    """Whether the user can put it right: an error of ours, of Hydra, of OmegaConf, or of Lightning's settings."""
    if isinstance(error, (ColorizeError, HydraException, OmegaConfBaseException)):
        return True
    lightning = sys.modules.get("lightning_fabric.utilities.exceptions")  # importing it takes seconds
    return lightning is not None and isinstance(error, lightning.MisconfigurationException)


def print_error(error: Exception, debug: bool, config: str = "train") -> NoReturn:
    """Print the sentence of a mistake, or with `debug` its traceback, and end the process with exit code 1."""
    if debug:
        traceback.print_exception(error)
    else:
        sys.stderr.write(f"error: {sentence(error, config)}\n")
    raise SystemExit(1) from None


def check_missing(cfg: DictConfig) -> None:
    """Raises a ColorizeError that names the keys that need a value and have none."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ColorizeError(f"No value is given for {', '.join(missing)}: add {missing[0]}=VALUE.")


def quote_paths(words: list[str]) -> list[str]:
    """Command line words in which the paths of conf/predict.yaml are quoted for Hydra.

    Its grammar gives = , ( [ { and spaces a meaning. What is quoted already, null, and the sweeps of -m stay as they
    are.
    """
    if {"-m", "--multirun"} & set(words):
        return words
    return [_with_quoted_value(word) if word.partition("=")[0] in PATH_KEYS else word for word in words]


def _with_quoted_value(word: str) -> str:
    key, _, value = word.partition("=")
    if value in ("", "null") or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\""):
        return word
    return f"{key}={quote(value)}"


def quote(text: str) -> str:
    """A string that may hold anything, as Hydra's grammar of overrides writes it."""
    return "'" + re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + (found[2] and r"\'"), text) + "'"


def _no_choice() -> str:
    """The sentence for GROUP=null, of which Hydra says neither the group nor the remedy."""
    words = [word for word in sys.argv[1:] if word.endswith("=null") and (CONFIG_DIR / word[:-5]).is_dir()]
    word = words[0] if words else "A group of null"
    return f"{word} chooses nothing, but a group of the configuration needs a choice: leave it out, or give a name."


def _debug_in(words: list[str]) -> bool:
    """What the command line says of `debug`, also when no configuration could be composed of it."""
    debug = False
    for word in words:
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException:  # a flag, or the mistake itself
            continue
        if override.key_or_group == "debug" and not override.is_delete() and not override.is_sweep_override():
            debug = _is_true(override.value())
    return debug


def _is_true(value: object) -> bool:
    try:
        return OmegaConf.create({"debug": BooleanNode(value)}).debug is True
    except OmegaConfBaseException:
        return False


def sentence(error: BaseException, config: str = "train") -> str:
    """What was wrong, where, and how to fix it, on one line; `config` names the YAML file in use."""
    cause = error.__cause__
    match error:
        case InstantiationException() if isinstance(cause, (ColorizeError, HydraException)):
            text = sentence(cause)
        case InstantiationException() if cause is not None:
            text = f"{_full_key(error)}: {cause}"
        case MissingConfigException() if error.missing_cfg_file:
            group, _, name = str(error.missing_cfg_file).rpartition("/")
            if name in EXTRAS.get(group, {}):
                return f"{group}={name} needs a plugin of Hydra: pip install 'colorize[{EXTRAS[group][name]}]'."
            ours = sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))
            text = explain_unknown(group, name, ours or sorted(error.options or []))
        case ConfigCompositionException() if str(error).startswith("Could not override '"):
            text = _unknown_key(getattr(cause, "full_key", None) or str(error).split("'")[1], config)
        case ConfigCompositionException() if str(error).startswith("Ambiguous value for argument"):
            text = f"{str(error).splitlines()[0]}: several values need -m ({program.command()} -m ...), a list [1,2]."
        case ConfigCompositionException() if cause is not None:
            text = f"{error}: {first_line(cause)}"
        case OverrideParseException():
            key, _, value = error.override.partition("=")
            example = f"{key}={quote(value)}"
            text = f'{error.override} cannot be read ({first_line(error)}): if it is one text, quote it: "{example}".'
        case _:
            text = first_line(error)
    return " ".join(text.split())


def _full_key(error: InstantiationException) -> str:
    marker = "full_key: "
    text = str(error)
    return text.partition(marker)[2] if marker in text else text.splitlines()[0]


def _unknown_key(key: str, config: str) -> str:
    """The sentence for an override of a key that `conf/CONFIG.yaml`, with the chosen groups, does not have."""
    cfg = _chosen(config)
    defaults = OmegaConf.select(OmegaConf.load(CONFIG_DIR / f"{config}.yaml"), "defaults")
    groups = sorted(name for choice in defaults if OmegaConf.is_dict(choice) for name in choice if " " not in name)
    keys = _keys(cfg)
    near = get_close_matches(key, [*keys, *groups], n=1, cutoff=0.65)
    if key in keys:
        hint = "not with what is chosen here, of which --cfg job shows all."
    elif near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"the groups are {', '.join(groups)}." if groups else f"its keys are {', '.join(map(str, cfg))}."
    add = f" (A new key is added with +{key}=VALUE.)" if groups else ""
    return f"{key} is no key of the configuration: {hint}{add}"


def _chosen(config: str) -> DictConfig:
    """`conf/CONFIG.yaml` with the groups that the command line chooses; with its defaults where that cannot be."""
    words = [word for word in sys.argv[1:] if (CONFIG_DIR / word.partition("=")[0]).is_dir()]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        try:
            cfg: DictConfig = compose(config, words)
        except (HydraException, OmegaConfBaseException, ValueError):
            cfg = compose(config)
    return cfg


def _keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name in cfg:
        key = f"{prefix}{name!s}"
        keys.append(key)
        if OmegaConf.is_dict(cfg) and isinstance(cfg._get_node(str(name)), DictConfig):
            keys += _keys(cfg[name], f"{key}.") if cfg[name] is not None else []
    return keys
