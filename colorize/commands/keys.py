"""The keys of a configuration with their defaults and comments, as its YAML file has them."""

import re
from dataclasses import dataclass

from colorize.cli.config import CONFIG_DIR

_LINE = re.compile(r"(?P<indent> *)(?P<name>\w+):(?: (?P<default>[^#]*?))?(?: *# (?P<comment>.*))?")
_OF_HYDRA = {"defaults", "hydra"}


@dataclass(frozen=True)
class Key:
    """A key of a configuration.

    Attributes:
        name: with those above it: `trainer.devices`.
        default: as YAML writes it: `1.0`, `null`, `[]`, `???`.
        comment: what it means.
    """

    name: str
    default: str
    comment: str

    @property
    def option(self) -> str:
        """What it is called among plain options: `--keep-color`, `--devices`."""
        return "--" + self.name.rpartition(".")[2].replace("_", "-")

    @property
    def is_switch(self) -> bool:
        """Whether it is true or false."""
        return self.default in ("true", "false")

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return self.default.startswith("[")


def keys_of(config: str) -> list[Key]:
    """The keys that `conf/CONFIG.yaml` itself gives a value, in its order, without those of Hydra."""
    keys: list[Key] = []
    above: list[str] = []
    for line in (CONFIG_DIR / f"{config}.yaml").read_text(encoding="utf-8").splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        above = [*above[: len(found["indent"]) // 2], found["name"]]
        if found["default"] and above[0] not in _OF_HYDRA:
            keys.append(Key(".".join(above), found["default"], found["comment"] or ""))
    return keys
