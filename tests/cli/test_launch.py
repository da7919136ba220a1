"""How the commands begin."""

from collections.abc import Callable

import pytest
from omegaconf import OmegaConf

from colorize.cli.launch import explain_mistakes, launch


@pytest.mark.parametrize(
    "begin",
    [
        lambda job: launch(job, "train"),
        lambda job: explain_mistakes(lambda cfg: job())(OmegaConf.create()),  # as in a launcher's process
    ],
)
def test_what_the_terminal_cannot_show_is_printed_with_escapes(
    begin: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train.py"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    begin(lambda: print("/caf\udce9/best.ckpt"))
    assert capsys.readouterr().out == "/caf\\udce9/best.ckpt\n"
