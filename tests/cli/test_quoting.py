"""How what a user types reaches Hydra, whose grammar gives much of it a meaning."""

import sys
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from colorize.cli.config import CONFIG_DIR
from colorize.cli.launch import launch
from colorize.cli.quoting import expand_home, quote, quote_paths
from colorize.cli.sentences import sentence


def composed(*words: str) -> Any:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return compose("predict", list(words))


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "a=b.jpg",
        "a,b.jpg",
        "my photo (1) [x] {y}.jpg",
        'it\'s "it".jpg',
        "back\\slash\\",
        "back\\'quote\\\\'",
        " spaces ",
        "line\nbreak.jpg",
        "back\\slash\\\n",
        "12",
        "true",
        "-dash#%:@?|.jpg",
        "\udcff.jpg",
        "写真.jpg",
        "scans/**/*.tif",
        "'",
        "a${b}.jpg",
        "${oc.env:HOME}",
        "\\${b}\\\\${c",
        "$a{b}",
    ],
)
def test_any_name_reaches_the_configuration_as_it_is(name: str) -> None:
    words = quote_paths([f"input={name}", "quality=90"])
    assert composed(*words).input == name
    assert composed(*words).quality == 90
    assert quote_paths(words) == words


def test_what_is_quoted_or_swept_stays() -> None:
    for words in (["input='a b'"], ['output="a=b"'], ["output=null"], ["-m", "input=a,b"], ["saturation=1.2"]):
        assert quote_paths(words) == words
    assert composed("output=null").output is None


@pytest.mark.parametrize("text", ["plain/name", "a b", "it's", "(1, 2)", "a=b,c", "{x: [1]}", "end\\", "a\\'b", "ü#%&"])
def test_a_name_survives_the_grammar_of_overrides(text: str) -> None:
    (override,) = OverridesParser.create().parse_overrides([f"key={quote(text)}"])
    assert str(override.value()) == text


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~/x", "/home/ada/x"),
        ("~", "/home/ada"),
        ("~/my runs/a-b.c+d", "/home/ada/my runs/a-b.c+d"),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
    ],
)
def test_a_path_below_home_needs_no_quotes(path: str, expanded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    parser = OverridesParser.create()
    with pytest.raises(HydraException):
        parser.parse_override(f"hydra.run.dir={path}")
    seen: list[str] = []
    monkeypatch.setattr(sys, "argv", ["train.py", f"hydra.run.dir={path}", "~trainer.max_time"])
    launch(lambda: seen.extend(sys.argv[1:]), "train")
    assert parser.parse_override(seen[0]).value() == expanded
    assert seen[1] == "~trainer.max_time"  # removes the key
    assert expand_home(seen[0]) == seen[0]


@pytest.mark.parametrize("word", ["~key", "~key=1", "key=1", "key='~/x'", "key=/a", "key=[~/a,~/b]", "key=~/a,~/b"])
def test_other_words_stay(word: str) -> None:
    assert expand_home(word) == word


@pytest.mark.parametrize(
    ("word", "example"),
    [("ckpt_path=~/a,~/b", "ckpt_path='~/a,~/b'"), ("ckpt_path=/a=b/c(1).ckpt", "ckpt_path='/a=b/c(1).ckpt'")],
)
def test_what_the_grammar_refuses_is_shown_quoted(word: str, example: str) -> None:
    with pytest.raises(HydraException) as caught:
        OverridesParser.create().parse_overrides([word])
    said = sentence(caught.value)
    assert said.startswith(f"{word} cannot be read (")
    assert said.endswith(f'if it is one text, quote it: "{example}".')
