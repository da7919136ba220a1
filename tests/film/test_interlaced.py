"""Films of interlaced frames: they are deinterlaced, whatever their frames change on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from colorize.film.facts import read_luma
from colorize.film.source import Film
from tests.film.films import SIZE, gray, write_film


def interlace(container: Any, track: Any) -> None:
    track.codec_context.flags |= av.codec.context.Flags.interlaced_dct.value
    track.codec_context.flags |= av.codec.context.Flags.interlaced_me.value


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_interlaced_frames_are_deinterlaced(codec: str, tmp_path: Path) -> None:
    options = {"x264-params": "tff=1"} if codec == "libx264" else {"top": "1"}
    film = Film(write_film(tmp_path / "film.mkv", codec=codec, rate=25, options=options, change=interlace))
    with av.open(str(film.path)) as container:
        assert any(frame.interlaced_frame for frame in container.decode(video=0))
    frames = list(film.frames())
    assert len(frames) == 12
    assert not any(frame.interlaced_frame for frame in frames)
    assert list(film.notes) == ["interlaced: it was deinterlaced"]
    times = [float((frame.pts or 0) * film.facts.time_base) for frame in frames]
    assert times == pytest.approx([number / 25 for number in range(12)], abs=1e-3)


def write_part(path: Path, size: tuple[int, int], pixels: str, is_interlaced: bool) -> bytes:
    changes: dict[str, Any] = {"options": {"x264-params": "tff=1"}, "change": interlace} if is_interlaced else {}
    return write_film(path, codec="libx264", rate=25, size=size, pixels=pixels, **changes).read_bytes()


@pytest.mark.parametrize(
    ("first_is_interlaced", "size", "pixels"),
    [
        (False, (24, 32), ("yuv420p", "yuv420p")),
        (False, (96, 128), ("yuv420p", "yuv420p")),
        (True, (24, 32), ("yuv420p", "yuv420p")),
        (True, SIZE, ("yuv420p", "yuv420p10le")),
        (True, SIZE, ("yuv420p10le", "yuv420p")),
    ],
)
def test_interlaced_frames_that_change_are_like_the_first_ones(
    first_is_interlaced: bool, size: tuple[int, int], pixels: tuple[str, str], tmp_path: Path
) -> None:
    first = write_part(tmp_path / "first.h264", SIZE, pixels[0], first_is_interlaced)
    second = write_part(tmp_path / "second.h264", size, pixels[1], True)
    (tmp_path / "film.h264").write_bytes(first + second)
    film = Film(tmp_path / "film.h264")
    frames = list(film.frames())
    assert len(frames) == 24
    assert {(frame.height, frame.width) for frame in frames} == {SIZE}
    assert "interlaced: it was deinterlaced" in film.notes
    unit = 1 << (film.facts.bits - 8)
    means = [read_luma(frame, film.facts.bits).mean() / unit for frame in frames]
    expected = [gray(number, shape).mean() for shape in (SIZE, size) for number in range(12)]
    np.testing.assert_allclose(means, expected, atol=5)
