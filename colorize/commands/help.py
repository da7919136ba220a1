"""What --help prints: one screen, made of the comments of conf/."""

import textwrap
from collections.abc import Iterator, Sequence

from omegaconf import OmegaConf

from colorize import program
from colorize.cli.config import CONFIG_DIR
from colorize.commands.keys import Key, keys_of

WIDTH = 80
COLUMN = 28  # where what a word means begins


def predict_help() -> str:
    """The help of `colorize`, by plain options, or of `python predict.py`, by KEY=VALUE."""
    command, plain = program.command(), not program.is_script()
    if plain:
        usage = f"{command} PHOTO [OPTION ...]"
        examples = ["photo.jpg", "album -o album_colour --saturation 1.2", "'scans/**/*.tif' -o out --no-tta"]
        title = "Options, each with its default (--quality 80 may be quality=80):"
    else:
        usage = f"{command} input=PHOTO [KEY=VALUE ...]"
        examples = ["input=photo.jpg", "input=album output=album_colour saturation=1.2"]
        title = "Keys, each with its default:"
    rows = [(_option(key) if plain else _key(key), key.comment) for key in keys_of("predict")]
    return _page(f"Colours black-and-white pictures: {usage}", command, examples, [(title, rows)])


def train_help() -> str:
    """The help of `colorize-train` and `python train.py`: the groups with their choices, and the keys."""
    command = program.command()
    examples = [
        "model=lab_unet data=photographs data.root=FOLDER",
        "-m model=lab_unet,rgb_cae seed=1,2",
        "experiment=cifar10_lab_unet --cfg job",
    ]
    defaults = OmegaConf.load(CONFIG_DIR / "train.yaml").defaults
    chosen = {str(group): choice for item in defaults if not isinstance(item, str) for group, choice in item.items()}
    choices = {group: sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml")) for group in chosen}
    groups = [
        (f"{group}={choice or 'NAME'}", ", ".join(choices[group]))
        for group, choice in chosen.items()
        if len(choices[group]) > 1
    ]
    keys = [(_key(key), key.comment) for key in keys_of("train")]
    tables = [("Groups, each with its default and its choices:", groups), ("Keys, each with its default:", keys)]
    usage = f"Trains and tests: {command} [GROUP=NAME ...] [KEY=VALUE ...]"
    end = "--cfg job shows all keys of what is chosen, trainer.max_epochs among them."
    return f"{_page(usage, command, examples, tables)}\n\n{end}"


def _option(key: Key) -> str:
    if key.name == "input":
        return "PHOTO"
    if key.is_switch:
        return f"--[no-]{key.option[2:]}" if key.default == "true" else key.option
    return f"{'-o, ' * (key.name == 'output')}{key.option} {key.default}"


def _key(key: Key) -> str:
    return f"{key.name}={'VALUE' if key.default == '???' or '$' in key.default else key.default}"


def _page(
    usage: str, command: str, examples: Sequence[str], tables: Sequence[tuple[str, Sequence[tuple[str, str]]]]
) -> str:
    lines = [usage, "", *(f"  {command} {example}" for example in examples)]
    for title, rows in tables:
        lines += ["", title, *(line for row in rows for line in _row(*row))]
    return "\n".join(lines)


def _row(word: str, meaning: str) -> Iterator[str]:
    indent = " " * COLUMN
    first = f"  {word}".ljust(COLUMN)
    if len(first) > COLUMN or not first.endswith(" "):
        yield first
        first = indent
    yield from textwrap.wrap(meaning, WIDTH, initial_indent=first, subsequent_indent=indent) or [first.rstrip()]
