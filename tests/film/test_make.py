"""Films in, coloured films out: luma untouched, everything else along, and stopped films go on where they were."""

from __future__ import annotations

import shutil
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import colorize.film.make
from colorize.album.stop import StoppedError
from colorize.errors import ColorizeError
from colorize.film.make import Progress, make_film
from colorize.film.segments import Segment
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, chroma, gray, lumas, packets, times, write_film


def make(path: Path, output: Path, painter: Any = None, progress: Progress | None = None, **said: Any) -> list[str]:
    return make_film(path, output, painter or Painter(), FilmSettings(tta=False, **said), 1, progress)


@pytest.mark.parametrize(
    ("suffix", "codec", "crf", "bits"),
    [
        (".mp4", "h264", 0, 8),
        (".mkv", "h264", 0, 10),
        (".webm", "av1", 0, 8),
        (".mkv", "ffv1", None, 8),
        (".mkv", "ffv1", None, 10),
        (".avi", "h264", 0, 8),
    ],
)
def test_luma_is_the_films_own_without_loss(suffix: str, codec: str, crf: Any, bits: int, tmp_path: Path) -> None:
    pixels = "yuv420p" if bits == 8 else "yuv420p10le"
    film = write_film(tmp_path / "film.mkv", 5, pixels=pixels, size=(64, 64))
    output = tmp_path / f"out{suffix}"
    assert make(film, output, codec=codec, crf=crf) == []
    made = lumas(output)
    assert len(made) == 5
    for number, luma in enumerate(made):
        np.testing.assert_array_equal(luma, gray(number, (64, 64), bits))
    cb, cr = chroma(output).mean(0) / (1 << (bits - 8))
    assert cr > 140
    assert cb < 128


@pytest.mark.parametrize("pixels", ["gray", "nv12", "yuvj420p", "yuv422p", "yuv444p", "yuv420p12le", "gray10le"])
def test_luma_of_every_kind_of_pixels_is_kept(pixels: str, tmp_path: Path) -> None:
    codec = {"nv12": "libx264", "yuvj420p": "libx264"}.get(pixels, "ffv1")
    film = write_film(tmp_path / "film.mkv", 3, pixels=pixels, codec=codec, options={"qp": "0"})
    make(film, tmp_path / "out.mkv", codec="ffv1")
    bits = 8 if "1" not in pixels.replace("nv12", "") else 10
    for number, luma in enumerate(lumas(tmp_path / "out.mkv")):
        np.testing.assert_array_equal(luma, gray(number, bits=bits))


@pytest.mark.parametrize("size", [(49, 64), (48, 63), (33, 35)])
def test_odd_sizes_stay(size: tuple[int, int], tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 3, size=size)
    make(film, tmp_path / "out.mp4", crf=0)
    for number, luma in enumerate(lumas(tmp_path / "out.mp4")):
        np.testing.assert_array_equal(luma, gray(number, size))


def test_prores_has_ten_bits(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 3, size=(64, 64))
    make(film, tmp_path / "out.mov", codec="prores")
    with av.open(str(tmp_path / "out.mov")) as made:
        assert made.streams.video[0].codec_context.pix_fmt == "yuv422p10le"
        assert made.streams.video[0].codec_context.name == "prores"
    for number, luma in enumerate(lumas(tmp_path / "out.mov")):
        assert np.abs(luma.astype(float) - gray(number, (64, 64), 10)).mean() < 12


def test_everything_else_goes_along(tmp_path: Path) -> None:
    def describe(container: Any, track: Any) -> None:
        container.metadata.update({"title": "Nosferatu", "comment": "a print"})
        container.set_chapters(
            [
                {"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}},
                {"id": 2, "start": 400, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "two"}},
            ]
        )
        track.codec_context.sample_aspect_ratio = Fraction(16, 15)
        track.codec_context.colorspace, track.codec_context.color_primaries = 5, 5
        track.codec_context.color_range = 1
        track.metadata["language"] = "ger"

    film = write_film(tmp_path / "film.mkv", 24, codec="libx264", sound="flac", change=describe)
    output = tmp_path / "out.mkv"
    assert make(film, output) == []
    assert packets(output, "audio") == packets(film, "audio")
    with av.open(str(output)) as made, av.open(str(film)) as own:
        assert {k: v for k, v in made.metadata.items() if k != "ENCODER"} == {
            k: v for k, v in own.metadata.items() if k != "ENCODER"
        }
        assert made.metadata["title"] == "Nosferatu"
        assert [(c["start"], c["end"], c["metadata"]) for c in made.chapters()] == [
            (c["start"], c["end"], c["metadata"]) for c in own.chapters()
        ]
        track = made.streams.video[0]
        assert track.sample_aspect_ratio == Fraction(16, 15)
        assert track.codec_context.colorspace == 5
        assert track.codec_context.color_range == 1
        assert track.metadata["language"] == "ger"
        assert track.average_rate == 24
        assert made.duration == pytest.approx(own.duration, abs=2000)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "h264"), (".mov", "hevc"), (".mkv", "av1"), (".webm", "av1"), (".mov", "prores"), (".mkv", "ffv1")],
)
def test_the_shape_of_pixels_stays(suffix: str, codec: str, tmp_path: Path) -> None:
    def stretch(container: Any, track: Any) -> None:
        track.codec_context.sample_aspect_ratio = Fraction(16, 15)

    film = write_film(tmp_path / "film.mp4", 2, codec="libx264", size=(72, 90), change=stretch)
    notes = make(film, tmp_path / f"out{suffix}", codec=codec)
    with av.open(str(tmp_path / f"out{suffix}")) as made:
        aspect = made.streams.video[0].sample_aspect_ratio
    assert aspect == Fraction(16, 15) or "shape of its pixels" in " ".join(notes)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_variable_frame_rate_stays(suffix: str, tmp_path: Path) -> None:
    stamps = [0, 40, 80, 200, 210, 215, 400, 440, 1000, 1040, 1041, 1100]
    film = write_film(tmp_path / f"film{suffix}", base=Fraction(1, 1000), rate=25, stamps=stamps, codec="libx264")
    output = tmp_path / f"out{suffix}"
    make(film, output)
    assert times(output) == pytest.approx(times(film))
    assert times(output) == pytest.approx([stamp / 1000 for stamp in stamps], abs=1e-3)


def test_a_turned_film_is_seen_upright_and_stays_turned(tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "film.mp4", 3, codec="libx264", change=lambda container, track: track.set_display_rotation(90)
    )
    shapes = []

    class Seeing(Painter):
        def predict_ab(self, small: Any, *others: Any, **more: Any) -> Any:
            shapes.append(tuple(small.shape[-2:]))
            return super().predict_ab(small, *others, **more)

    make(film, tmp_path / "out.mp4", Seeing())
    assert set(shapes) == {(16, 12)}
    with av.open(str(tmp_path / "out.mp4")) as made:
        frame = next(made.decode(video=0))
        assert (frame.rotation, frame.width, frame.height) == (90, 64, 48)


def _stop_after(count: int) -> Progress:
    seen = []
    return Progress(advance=lambda: seen.append(1), stopping=lambda: len(seen) >= count)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "ffv1"])
def test_a_stopped_film_goes_on_and_is_the_same(codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colorize.film.make, "LEAST_FRAMES", 10)
    film = write_film(tmp_path / "film.mkv", 300, size=(64, 96), sound="flac")
    whole, output = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    make(film, whole, codec=codec)
    with pytest.raises(StoppedError):
        make(film, output, codec=codec, progress=_stop_after(150))
    assert not output.exists()
    finished = sorted((tmp_path / ".out.mkv.segments").glob("*.segment"))
    kept = [data for path in finished for data in Segment.read(path).packets()]
    begun = []
    make(film, output, codec=codec, progress=Progress(begun=lambda done, total: begun.append((done, total))))
    assert 0 < begun[0][0] <= 150
    assert packets(output, "audio") == packets(whole, "audio")
    assert times(output) == times(whole)
    if codec == "ffv1":  # of the others Matroska holds the same in another form
        assert [data for _, data in packets(output, "video")][: len(kept)] == kept
    assert packets(output, "video") == packets(whole, "video")
    assert {path.name for path in tmp_path.iterdir()} == {"film.mkv", "whole.mkv", "out.mkv"}


@pytest.mark.parametrize("gain", ["chroma_gain", "cast_gain"])
def test_another_gain_of_the_same_weights_begins_anew(
    gain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(colorize.film.make, "LEAST_FRAMES", 1)
    film, painter = write_film(tmp_path / "film.mkv", 300, size=(32, 32)), Painter()
    with pytest.raises(StoppedError):
        make(film, tmp_path / "out.mkv", painter, codec="ffv1", progress=_stop_after(150))
    setattr(painter, gain, 1.2)
    assert "begun anew" in " ".join(make(film, tmp_path / "out.mkv", painter, codec="ffv1"))


def test_other_settings_begin_anew_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colorize.film.make, "LEAST_FRAMES", 1)
    film = write_film(tmp_path / "film.mkv", 600, size=(32, 32))
    with pytest.raises(StoppedError):
        make(film, tmp_path / "out.mkv", codec="ffv1", progress=_stop_after(300))
    begun = []
    notes = make(
        film, tmp_path / "out.mkv", codec="ffv1", smooth=1, progress=Progress(lambda done, total: begun.append(done))
    )
    assert begun == [0]
    assert "begun anew" in " ".join(notes)


def test_an_error_of_the_network_reaches_the_caller_and_no_thread_stays(tmp_path: Path) -> None:
    painter = Painter()
    painter.ends_after = 3
    film = write_film(tmp_path / "film.mkv", 100)
    with pytest.raises(KeyError, match="the end of the world"):
        make(film, tmp_path / "out.mkv", painter)
    assert not (tmp_path / "out.mkv").exists()
    assert not [thread.name for thread in threading.enumerate() if thread.name == "work_ahead"]


def test_two_processes_do_not_make_one_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 3)

    def again(*_: Any) -> None:
        with pytest.raises(ColorizeError, match="is being made by another process"):
            make(film, tmp_path / "out.mkv")

    make(film, tmp_path / "out.mkv", progress=Progress(begun=again))
    assert (tmp_path / "out.mkv").exists()
    shutil.rmtree(tmp_path)
