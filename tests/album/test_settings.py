"""What a user can say of the pictures."""

from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from colorize.album.settings import Settings
from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError


def composed(*words: str) -> Any:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return compose("predict", list(words))


def test_the_defaults_are_those_of_the_configuration() -> None:
    assert Settings.from_config(composed()) == Settings()


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("format=gif", "format=gif is not possible: give png, jpg, tiff, webp"),
        ("quality=0", "quality=0 is not possible: give a whole number from 1 to 100"),
        ("quality=101", "quality=101"),
        ("quality=9.5", "quality=9.5"),
        ("quality=true", "quality=True"),
        ("saturation=-1", "saturation=-1"),
        ("saturation=nan", "saturation=nan"),
        ("saturation=much", "saturation=much"),
        ("tta=2", "tta=2 is not possible: give true or false"),
        ("temperature=0", "temperature=0 is not possible: give a number above 0 and at most 10, or null"),
        ("temperature=11", "temperature=11"),
        ("temperature=nan", "temperature=nan"),
        ("temperature=warm", "temperature=warm"),
        ("samples=-1", "samples=-1 is not possible: give a whole number from 0 to 16"),
        ("samples=17", "samples=17"),
        ("samples=2.5", "samples=2.5"),
        ("uncertainty=1", "uncertainty=1 is not possible: give true or false"),
        ("max_megapixels=0", "max_megapixels=0"),
        ("max_megapixels=inf", "max_megapixels=inf"),
        ("batch_size=0", "batch_size=0"),
        ("num_threads=0", "num_threads=0"),
        ("trainer.strategy=ddp_spawn", "trainer.strategy=ddp_spawn is not possible: give ddp, or auto"),
    ],
)
def test_an_impossible_value_is_named(word: str, words: str) -> None:
    with pytest.raises(ColorizeError, match=words):
        Settings.from_config(composed(word))


def test_possible_values_are_taken() -> None:
    words = ("format=webp", "quality=100", "saturation=0", "tta=true", "max_megapixels=0.5", "num_threads=3")
    settings = Settings.from_config(composed(*words, "temperature=1e-2", "samples=16", "uncertainty=true"))
    assert (settings.temperature, settings.samples, settings.uncertainty) == (0.01, 16, True)
    assert (settings.format, settings.saturation, settings.max_megapixels) == ("webp", 0, 0.5)
    assert settings.threads(8) == 3
    assert Settings().threads(10**6) == 1
