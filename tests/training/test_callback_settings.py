"""Settings of callbacks that would end a training when they are needed, or be ignored: each is refused before."""

import re
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from colorize.cli.sentences import sentence

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.mark.parametrize(
    ("callback", "key", "value", "words"),
    [
        ("curves", "every_n_seconds", "often", "a number of at least 0."),
        ("curves", "every_n_seconds", -1, "a number of at least 0."),
        ("early_stopping", "patience", None, "a whole number of at least 0: callbacks.early_stopping=null never"),
        ("early_stopping", "patience", "long", "a whole number of at least 0"),
        ("early_stopping", "patience", 2.5, "a whole number of at least 0"),
        ("ema", "decay", "slow", "at least 0 and below 1."),
        ("last", "every_n_minutes", "ten", "above 0, or null."),
        ("last", "every_n_minutes", float("nan"), "above 0, or null."),
        ("last", "every_n_train_steps", "ten", "above 0, or null."),
        ("samples", "count", 1.5, "a whole number of at least 1."),
        ("samples", "every_n_epochs", "two", "a whole number of at least 1."),
    ],
)
def test_what_is_no_number_is_refused(callback: str, key: str, value: Any, words: str, tmp_path: Path) -> None:
    files = [OmegaConf.load(CONF / f"callbacks/{name}.yaml") for name in ("default", "ema")]
    cfg = OmegaConf.merge({"run_dir": str(tmp_path), "resume": False}, {"callbacks": OmegaConf.merge(*files)})
    cfg.callbacks[callback][key] = value
    with pytest.raises(InstantiationException) as caught:
        instantiate(cfg.callbacks[callback])
    assert re.match(
        f"callbacks\\.{callback}\\.{key} is {value}, but must be {re.escape(words)}", sentence(caught.value)
    )
