"""--help: one screen that knows every key."""

import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from colorize.cli.config import CONFIG_DIR
from colorize.commands.help import WIDTH, predict_help, train_help
from colorize.commands.keys import keys_of

COMMANDS = [
    ("/usr/bin/colorize", predict_help),
    ("predict.py", predict_help),
    ("/usr/bin/colorize-train", train_help),
    ("train.py", train_help),
]


def leaves(cfg: DictConfig, prefix: str = "") -> set[str]:
    found = set()
    for name in cfg:
        node = cfg._get_node(str(name))
        found |= leaves(node, f"{prefix}{name}.") if isinstance(node, DictConfig) else {f"{prefix}{name}"}
    return found


def test_the_keys_are_those_of_the_composed_configuration_each_with_a_comment() -> None:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        cfg = compose("predict")
    keys = keys_of("predict")
    assert {key.name for key in keys} == leaves(cfg)
    assert [key.name for key in keys if not key.comment] == []
    for key in keys:
        assert OmegaConf.create(f"x: {key.default}") == {
            "x": "???" if key.default == "???" else OmegaConf.select(cfg, key.name)
        }


@pytest.mark.parametrize(("program", "text"), COMMANDS)
def test_it_fits_one_screen_and_names_the_command(program: str, text: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [program])
    lines = text().splitlines()  # type: ignore[operator]
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= (40 if text is predict_help else 52)
    command = f"python {program}" if program.endswith(".py") else program
    examples = lines[2 : lines.index("", 2)]
    assert len(examples) >= 2
    assert all(line.startswith(f"  {command} ") for line in examples)
    assert not any("python" in line for line in lines) or program.endswith(".py")


def test_every_setting_has_a_line_with_its_default_and_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    for program, form in (("predict.py", "{name}={default}"), ("colorize", "{option} {default}")):
        monkeypatch.setattr(sys, "argv", [program])
        text = predict_help()
        for key in keys_of("predict"):
            if key.name != "input" and not key.is_switch:
                assert form.format(name=key.name, option=key.option, default=key.default) in text
            assert key.comment.split()[0] in text
    assert "--[no-]tta" in text
    assert "\n  --keep-color " in text


def test_that_of_training_knows_every_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["colorize-train"])
    text = " ".join(train_help().split())
    for group in ("model", "data", "experiment", "logger", "sweep", "launcher"):
        for path in (CONFIG_DIR / group).glob("*.yaml"):
            assert path.stem in text
    for key in keys_of("train"):
        assert key.name in text
        assert key.comment in text
