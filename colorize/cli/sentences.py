"""What a mistake was, where, and how to fix it, in one sentence."""

import sys
from difflib import get_close_matches

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize import program
from colorize.cli.config import CONFIG_DIR
from colorize.cli.quoting import quote
from colorize.errors import ColorizeError, first_line
from colorize.registry import explain_unknown

EXTRAS = {  # the extra that brings each of these choices of Hydra's own groups
    "hydra/sweeper": {"optuna": "optuna"},
    "hydra/sweeper/sampler": {"tpe": "optuna"},
    "hydra/launcher": {"joblib": "joblib", "submitit_slurm": "submitit", "submitit_local": "submitit"},
}


def is_mistake(error: BaseException) -> bool:
    """Whether the user can put it right: an error of ours, of Hydra, of OmegaConf, or of Lightning's settings."""
    if isinstance(error, (ColorizeError, HydraException, OmegaConfBaseException)):
        return True
    lightning = sys.modules.get("lightning_fabric.utilities.exceptions")  # importing it takes seconds
    return lightning is not None and isinstance(error, lightning.MisconfigurationException)


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
            if (plugin := _missing_plugin(config)) is not None:
                return sentence(plugin, config)
            text = f"{str(error).splitlines()[0]}: several values need -m ({program.command()} -m ...), a list [1,2]."
        case ConfigCompositionException() if cause is not None:
            text = f"{error}: {first_line(cause)}"
        case OverrideParseException():
            key, _, value = error.override.partition("=")
            example = f"{key}={quote(value)}"
            text = f'{error.override} cannot be read ({first_line(error)}): if it is one text, quote it: "{example}".'
        case ColorizeError():
            text = str(error)  # which may name a file of several lines
        case _:
            text = first_line(error)
    return " ".join(text.split())


def _full_key(error: InstantiationException) -> str:
    marker = "full_key: "
    text = str(error)
    return text.partition(marker)[2] if marker in text else text.splitlines()[0]


def _missing_plugin(config: str) -> MissingConfigException | None:
    """Why the launcher or sweeper that the command line chooses cannot be had: without it several values need -m."""
    for word in sys.argv[1:]:
        if word.partition("=")[0] in ("launcher", "sweep") and "," not in word:
            try:
                _compose(config, [word], with_hydra=True)
            except MissingConfigException as error:
                return error
            except (HydraException, ValueError):  # another mistake, which is named once -m is given
                continue
    return None


def _unknown_key(key: str, config: str) -> str:
    """The sentence for an override of a key that `conf/CONFIG.yaml`, with the chosen groups, does not have."""
    words = [word for word in sys.argv[1:] if (CONFIG_DIR / word.partition("=")[0]).is_dir()]
    try:
        cfg = _compose(config, words)
    except (HydraException, OmegaConfBaseException, ValueError):  # no such choices: those of the defaults
        cfg = _compose(config, [])
    defaults = OmegaConf.select(OmegaConf.load(CONFIG_DIR / f"{config}.yaml"), "defaults")
    groups = sorted(name for choice in defaults if OmegaConf.is_dict(choice) for name in choice if " " not in name)
    keys = _keys(OmegaConf.to_container(cfg))
    near = get_close_matches(key, [*keys, *groups], n=1, cutoff=0.65)
    if key in keys:
        hint = "not with what is chosen here, of which --cfg job shows all."
    elif near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"the groups are {', '.join(groups)}." if groups else f"its keys are {', '.join(map(str, cfg))}."
    add = f" (A new key is added with +{key}=VALUE.)" if groups else ""
    return f"{key} is no key of the configuration: {hint}{add}"


def _compose(config: str, words: list[str], with_hydra: bool = False) -> DictConfig:
    """`conf/CONFIG.yaml` with these overrides, and Hydra's own settings where they are wanted."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        cfg: DictConfig = compose(config, words, return_hydra_config=with_hydra)
    return cfg


def _keys(settings: object, prefix: str = "") -> list[str]:
    """The dotted keys of nested settings, those of groups too."""
    keys: list[str] = []
    for name, value in settings.items() if isinstance(settings, dict) else ():
        keys += [f"{prefix}{name}", *_keys(value, f"{prefix}{name}.")]
    return keys
