"""Ctrl-C and SIGTERM, before and after the first photograph."""

import signal

import pytest

from colorize.album.stop import Stop

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("rank", "words"), [("0", "stopped before the first photograph.\n"), ("1", "")])
def test_before_the_first_photograph_it_ends_the_process(
    number: int, rank: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_RANK", rank)
    with pytest.raises(SystemExit) as ended, Stop():
        signal.raise_signal(number)
    assert (ended.value.code, capsys.readouterr().err) == (130, words)


@pytest.mark.parametrize("number", SIGNALS)
def test_from_then_on_it_only_asks(number: int) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        stop.gentle = True
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored() -> None:
    """As Ctrl-C is in a command that a script has put into the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stop() as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop.asked
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_errors_pass_through() -> None:
    with pytest.raises(ArithmeticError), Stop():
        raise ArithmeticError
