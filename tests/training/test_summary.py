"""The command that a run ends with, pasted into a shell."""

import shlex
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from colorize.cli.quoting import quote_paths
from colorize.training.evaluate import summary

NAMES = [
    "plain",
    "a b",
    "lr=0.1,width=4",
    "(1)",
    "it's",
    'a "quoted" word',
    "[x]{y}",
    "$HOME",
    "back\\slash",
    "*?;&|#",
    "ü",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_line_names_the_checkpoint_to_a_shell_and_to_hydra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py"])
    checkpoint = Path("/runs") / name / "checkpoints/best.ckpt"
    line = summary({"n_images": 8}, checkpoint.parents[1], str(checkpoint)).splitlines()[-1]
    use, python, script, *words = shlex.split(line)
    assert (use, python, script) == ("use:", "python", "predict.py")
    overrides = OverridesParser.create().parse_overrides(quote_paths(words))
    assert {override.key_or_group: str(override.value()) for override in overrides} == {
        "checkpoint": str(checkpoint),
        "input": "PHOTO_OR_FOLDER",
        "output": "FOLDER",
    }
