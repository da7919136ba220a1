"""How paths and other strings reach Hydra through its grammar of overrides."""

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from colorize.cli import CONFIG_DIR, quote, quote_paths


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
        "12",
        "true",
        "-dash#%:@?|.jpg",
        "\udcff.jpg",
        "写真.jpg",
        "scans/**/*.tif",
        "'",
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
