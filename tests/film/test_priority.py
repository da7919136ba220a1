"""Encoders and the priority of threads: SVT-AV1 makes whom it can a real-time thread."""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from colorize.film import encode
from colorize.film.make import make_film
from colorize.film.priority import same_priority
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, write_film

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system has these calls")


def policies() -> set[int]:
    """Of all threads of this process."""
    return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}


def test_what_an_encoder_changes_is_undone_and_the_rest_left() -> None:
    done, threads = threading.Event(), []

    def wait() -> None:
        thread = threading.Thread(target=done.wait)
        thread.start()
        threads.append(thread)

    def batch(thread: int) -> None:
        os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))  # which anyone may ask for

    wait()
    batch(threads[0].native_id or 0)
    with suppress(ValueError), same_priority():
        batch(0)
        wait()  # new threads are as those that start them
        assert os.sched_getscheduler(threads[1].native_id or 0) == os.SCHED_BATCH
        raise ValueError("which the encoder may end with")
    found = [os.sched_getscheduler(thread) for thread in (0, *(thread.native_id or 0 for thread in threads))]
    done.set()
    assert found == [os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_OTHER]


def test_a_film_in_av1_takes_no_core_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by root alone: the encoder may not ask for it elsewhere."""
    seen: list[set[int]] = []
    to_frame = encode.Recipe.frame
    monkeypatch.setattr(
        encode.Recipe, "frame", lambda self, *frame: (seen.append(policies()), to_frame(self, *frame))[1]
    )
    film = write_film(tmp_path / "film.mkv", 3)
    make_film(film, tmp_path / "out.webm", Painter(), FilmSettings(tta=False, codec="av1"), 1, None)
    assert seen == [{os.SCHED_OTHER}] * 3
    assert policies() == {os.SCHED_OTHER}
