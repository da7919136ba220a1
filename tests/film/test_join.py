"""The finished film: what its container states of it."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from colorize.film.make import make_film
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, lumas, times, write_film


@pytest.mark.parametrize(
    ("source", "rate"),
    [("film.mp4", Fraction(25)), ("film.mp4", Fraction(30000, 1001)), ("film.mkv", Fraction(24))],
)
def test_avi_states_the_frame_rate(source: str, rate: Fraction, tmp_path: Path) -> None:
    film = write_film(tmp_path / source, rate=rate, codec="libx264")
    make_film(film, tmp_path / "out.avi", Painter(), FilmSettings(tta=False, codec="ffv1"))
    with av.open(str(tmp_path / "out.avi")) as made:
        track = made.streams.video[0]
        assert (track.average_rate, track.frames) == (rate, 12)
        assert track.duration is not None
        assert track.duration * track.time_base == 12 / rate
    assert len(lumas(tmp_path / "out.avi")) == 12
    assert times(tmp_path / "out.avi") == pytest.approx([number / float(rate) for number in range(12)])


def test_a_variable_rate_stays_in_avi(tmp_path: Path) -> None:
    stamps = [0, 40, 80, 200, 210, 400, 1000, 1040]
    film = write_film(tmp_path / "film.mkv", 8, base=Fraction(1, 1000), rate=25, stamps=stamps)
    make_film(film, tmp_path / "out.avi", Painter(), FilmSettings(tta=False, codec="ffv1"))
    assert times(tmp_path / "out.avi") == pytest.approx([stamp / 1000 for stamp in stamps], abs=1e-3)
