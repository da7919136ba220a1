"""Plain options and what Hydra is told."""

import sys
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

from colorize.cli.quoting import quote_paths
from colorize.commands.keys import keys_of
from colorize.commands.words import flags_first, overrides
from colorize.errors import ColorizeError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/nowhere/bin/colorize"])
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("photo.jpg", "input=photo.jpg"),
        ("album -o out --saturation 1.2", "input=album output=out saturation=1.2"),
        ("--saturation=1.2 album output=out", "input=album saturation=1.2 output=out"),
        ("a.jpg --no-tta --keep-color", "input=a.jpg tta=false keep_color=true"),
        ("--keep-color a.jpg --keep_color=false", "input=a.jpg keep_color=true keep_color=false"),
        ("a.jpg --no-overwrite --side_by_side", "input=a.jpg overwrite=false side_by_side=true"),
        ("a.jpg --saturation -1", "input=a.jpg saturation=-1"),
        ("a --devices 2 --trainer.accelerator cpu", "input=a trainer.devices=2 trainer.accelerator=cpu"),
        ("a --devices [0,2] --plugins mine,other", "input=a trainer.devices=[0,2] plugins=[mine,other]"),
        ("a --plugins [mine]", "input=a plugins=[mine]"),
        ("a=b.jpg saturation=2", "a=b.jpg saturation=2"),  # no such file: Hydra says that there is no key a
        ("input=a=b.jpg hydra.verbose=true ++trainer.x=1", "input=a=b.jpg hydra.verbose=true ++trainer.x=1"),
        (
            "-m a.jpg saturation=1,2 --config-dir conf --cfg=job",
            "input=a.jpg -m saturation=1,2 --config-dir conf --cfg=job",
        ),
        ("--info all a.jpg", "input=a.jpg --info all"),
        ("--info a.jpg", "input=a.jpg --info"),
        ("-- --saturation", "input=--saturation"),
        ("", ""),
    ],
)
def test_options_become_overrides(words: str, expected: str) -> None:
    assert overrides(words.split()) == expected.split()


def test_what_they_become_stays_as_it_is() -> None:
    """For it is the command line of a rank that is started by this process."""
    once = quote_paths(overrides(["my photo (1).jpg", "-o", "out=1", "--no-tta", "--checkpoint", "hf://a/b"]))
    assert once == ["input='my photo (1).jpg'", "output='out=1'", "tta=false", "checkpoint='hf://a/b'"]
    assert quote_paths(overrides(once)) == once


def test_a_photograph_may_be_called_like_an_override_or_an_option(empty_folder: Path) -> None:
    for name in ("x=1.jpg", "-dash.jpg"):
        (empty_folder / name).touch()
        assert overrides([name]) == [f"input={name}"]
    (empty_folder / "y=1").mkdir()
    assert overrides(["y=1"]) == ["input=y=1"]


def test_a_word_longer_than_any_name_is_an_override() -> None:
    word = f"x={'y' * 300}"
    assert overrides([word]) == [word]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "a.jpg --saturaton 1.2",
            "--saturaton is no option: did you mean --saturation\\? /nowhere/bin/colorize --help lists",
        ),
        ("a.jpg -x", "-x is no option: "),
        ("a.jpg --no-saturation", "--no-saturation is no option: "),
        ("a.jpg --saturation", r"--saturation needs a value: --saturation VALUE \(0 is gray"),
        ("a.jpg -o --no-tta", "-o needs a value"),
        ("a.jpg --output --quality 3", "--output needs a value"),
        ("a.jpg --quality --cfg job", "--quality needs a value"),
        ("-o -- a.jpg", "-o needs a value"),
        ("a.jpg input=b.jpg", "a.jpg and b.jpg are given, but one word says which"),
        ("--input=a.jpg b.jpg", "b.jpg and a.jpg are given, but one word says which"),
        (
            "a.jpg b.jpg c.jpg",
            r"a.jpg and b.jpg are given, but one word says which .*/nowhere/bin/colorize '\*.jpg' -o FOLDER",
        ),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str) -> None:
    with pytest.raises(ColorizeError, match=sentence):
        overrides(words.split())


def test_every_key_has_an_option() -> None:
    keys = keys_of("predict")
    assert len({key.option for key in keys}) == len(keys)
    for key in keys:
        if key.is_switch:
            assert overrides([key.option, f"--no-{key.option[2:]}"]) == [f"{key.name}=true", f"{key.name}=false"]
        elif not key.is_list:
            assert overrides([key.option, "7", f"--{key.name}=8"]) == [f"{key.name}=7", f"{key.name}=8"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("model=a,b -m seed=1,2", "-m model=a,b seed=1,2"),
        ("a=1 --config-dir mine b=2 --multirun c=3", "--config-dir mine --multirun a=1 b=2 c=3"),
        ("a=1 --config-dir=mine b=2 -cn x", "--config-dir=mine -cn x a=1 b=2"),
        ("a=1 --cfg job b=2", "--cfg job a=1 b=2"),
        ("a=1 --info defaults-tree b=2", "--info defaults-tree a=1 b=2"),
        ("a=1 --info b=2", "--info a=1 b=2"),
        ("a=1 ~b c=-m", "a=1 ~b c=-m"),
        ("a=1 -cn", "-cn a=1"),
    ],
)
def test_flags_may_stand_anywhere(words: str, expected: str) -> None:
    assert flags_first(words.split()) == expected.split()


def test_what_the_parser_of_hydra_takes_side_by_side_alone_it_is_given_so() -> None:
    words = flags_first(["model=a,b", "-m", "seed=1,2"])
    parsed = get_args_parser().parse_args(words)
    assert (parsed.multirun, parsed.overrides) == (True, ["model=a,b", "seed=1,2"])
