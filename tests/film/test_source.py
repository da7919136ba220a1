"""Films as files: what is wrong with them is told in one sentence, or put right with a word."""

from __future__ import annotations

import os
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av import VideoFrame

from colorize.errors import ColorizeError
from colorize.film.facts import FilmFacts, bits_of, read_luma
from colorize.film.source import Film
from tests.film.films import SIZE, gray, gray_frame, write_film


def stamps(film: Film) -> list[int | None]:
    return [frame.pts for frame in film.frames()]


def test_facts(tmp_path: Path) -> None:
    facts = Film(write_film(tmp_path / "film.mp4", codec="libx264", rate=Fraction(24000, 1001))).facts
    assert (facts.width, facts.height, facts.bits, facts.frames) == (64, 48, 8, 12)
    assert facts.rate == Fraction(24000, 1001)
    assert facts.aspect == 1
    assert facts.display_matrix is None
    assert not facts.is_full_range
    assert facts.weights == (0.299, 0.114)


@pytest.mark.parametrize("skip", [0, 5, 12, 13])
def test_frames_are_the_same_each_time(skip: int, tmp_path: Path) -> None:
    film = Film(write_film(tmp_path / "film.mp4", codec="libx264", options={"qp": "0"}))
    numbers = range(skip, 12)
    found = list(film.frames(skip))
    assert [frame.pts for frame in found] == stamps(film)[skip:]
    for number, frame in zip(numbers, found, strict=True):
        np.testing.assert_array_equal(read_luma(frame, 8), gray(number))
    assert not film.notes


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("between", [0, 2])
@pytest.mark.parametrize("suffix", [".avi", ".wmv"])
def test_h264_in_avi_is_as_steady_as_its_packets(suffix: str, between: int, threads: int, tmp_path: Path) -> None:
    options = {"bf": str(between), "x264-params": "b-adapt=0"}
    film = Film(write_film(tmp_path / f"film{suffix}", 40, codec="libx264", rate=25, options=options), threads)
    times = [float((stamp or 0) * film.facts.time_base) for stamp in stamps(film)]
    assert times == pytest.approx([times[0] + number / 25 for number in range(40)])
    assert times[0] == 0 if between == 0 else 0 < times[0] <= 2 / 25
    assert "moved" not in " ".join(film.notes)


def test_frames_without_time_stamps_follow_each_other(tmp_path: Path) -> None:
    raw = write_film(tmp_path / "film.h264", codec="libx264", rate=25)
    film = Film(raw)
    found = stamps(film)
    assert len(found) == 12
    assert None not in found
    assert len(set(np.diff(np.array(found, np.int64)).tolist())) == 1


def test_frames_that_change_their_size_are_brought_to_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "film.h264"
    write_film(tmp_path / "a.h264", codec="libx264", size=(48, 64))
    write_film(tmp_path / "b.h264", codec="libx264", size=(96, 128))
    path.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    film = Film(path)
    assert {(frame.height, frame.width) for frame in film.frames()} == {(48, 64)}
    assert len(stamps(film)) == 24
    assert "change their size" in " ".join(film.notes)


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(ColorizeError, match="is a pipe or a device"):
        Film(tmp_path / "film.mp4")


@pytest.mark.parametrize("place", ["", "../"])
def test_a_list_of_films_is_refused(place: str, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mkv")
    folder = tmp_path / ("below" if place else ".")
    folder.mkdir(exist_ok=True)
    (folder / "list.mp4").write_text(f"ffconcat version 1.0\nfile {place}film.mkv\n")
    with pytest.raises(ColorizeError, match=r"list\.mp4: is a list of films, not a film"):
        Film(folder / "list.mp4")


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_cut_film_gives_what_is_there(share: float, tmp_path: Path) -> None:
    whole = write_film(tmp_path / "film.mkv", 60, codec="libx264").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: int(share * len(whole))])
    film = Film(path)
    assert 10 < len(stamps(film)) < 60
    assert "seconds before its end" in " ".join(film.notes)


def test_a_damaged_middle_is_left_out(tmp_path: Path) -> None:
    data = bytearray(write_film(tmp_path / "film.avi", 60, codec="mjpeg", pixels="yuvj420p").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    (tmp_path / "film.avi").write_bytes(data)
    assert 40 < len(stamps(Film(tmp_path / "film.avi"))) <= 60


def _sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("sound.mp4", _sound, "has no picture track, only audio"),
        ("text.mp4", lambda path: path.write_text("no film"), "cannot be read as a film"),
        ("empty.mkv", lambda path: path.write_bytes(b""), "cannot be read as a film"),
        ("cut.mp4", lambda path: path.write_bytes(write_film(path, codec="libx264").read_bytes()[:1500]), "cannot be"),
        ("none.mkv", lambda path: write_film(path, 0), "End of file|has no frame"),
        ("absent.mkv", lambda path: None, "cannot be read as a film: No such file"),
    ],
)
def test_what_is_no_film_is_refused(name: str, write: Any, words: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    with pytest.raises(ColorizeError, match=words) as caught:
        Film(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(("transfer", "words"), [(16, r"is HDR \(PQ\).*make it SDR before"), (18, r"is HDR \(HLG\)")])
@pytest.mark.parametrize("codec", ["libx265", "ffv1", "libx264"])
def test_hdr_is_refused(codec: str, transfer: int, words: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 2, codec=codec, pixels="yuv420p10le", change=_tagged(9, 9, transfer))
    with pytest.raises(ColorizeError, match=words):
        Film(film)


def test_wide_primaries_are_told(tmp_path: Path) -> None:
    film = Film(write_film(tmp_path / "film.mkv", 2, codec="libx264", change=_tagged(9, 9, 14)))
    assert list(film.notes) == ["its primaries are BT.2020's, in which our colours look stronger than in BT.709's"]
    assert film.facts.weights == (0.2627, 0.0593)


def _tagged(colorspace: int, primaries: int, transfer: int) -> Any:
    def tag(container: Any, track: Any) -> None:
        context = track.codec_context
        context.colorspace, context.color_primaries, context.color_trc = colorspace, primaries, transfer

    return tag


@pytest.mark.parametrize(
    ("pixels", "codec", "suffix"),
    [("yuva420p", "ffv1", ".mkv"), ("yuva444p10le", "prores_ks", ".mov"), ("rgba", "png", ".mov")],
)
def test_transparency_is_left_out_with_a_word(pixels: str, codec: str, suffix: str, tmp_path: Path) -> None:
    options = {"profile": "4444"} if codec == "prores_ks" else {}
    film = Film(write_film(tmp_path / f"film{suffix}", 2, codec=codec, pixels=pixels, options=options))
    assert list(film.notes) == ["its transparency was left out"]
    assert len(list(film.frames())) == 2


def test_too_large_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="max_megapixels"):
        Film(write_film(tmp_path / "film.mkv", 1), max_megapixels=0.001)


@pytest.mark.parametrize("pixels", ["bgr0", "gbrp"])
def test_rgb_becomes_luma(pixels: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream("ffv1" if pixels == "bgr0" else "libx265", rate=25)
        track.width, track.height, track.pix_fmt = SIZE[1], SIZE[0], pixels
        values = np.repeat(gray(0).astype(np.uint8)[..., None], 3, 2)
        container.mux(track.encode(VideoFrame.from_ndarray(values, "rgb24").reformat(format=pixels)))
        container.mux(track.encode(None))
    film = Film(path)
    luma = read_luma(next(film.frames()), 8)
    assert (film.facts.colorspace, film.facts.color_range) == (1, 1)
    assert np.abs(luma - (16 + gray(0) * (219 / 255))).mean() < (1 if pixels == "bgr0" else 8)


@pytest.mark.parametrize(
    ("pixels", "bits", "factor"),
    [
        ("yuv420p", 8, 1),
        ("yuv420p", 10, 4),
        ("yuv420p9le", 10, 2),
        ("yuv420p10le", 8, 1 / 4),  # of a film that began with 8 bits
        ("yuv420p10le", 10, 1),
        ("yuv420p12le", 10, 1 / 4),
    ],
)
def test_luma_is_read_in_the_bits_that_are_asked(pixels: str, bits: int, factor: float) -> None:
    frame = gray_frame(3, pixels=pixels)
    luma = read_luma(frame, bits)
    assert luma.dtype == (np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_array_equal(luma, (gray(3, bits=bits_of(frame)) * factor).astype(int))


@pytest.mark.parametrize("angle", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_upright_is_what_a_player_shows(angle: int, mirrored: bool, tmp_path: Path) -> None:
    def turn(container: Any, track: Any) -> None:
        track.set_display_rotation(angle, hflip=mirrored)

    facts = Film(write_film(tmp_path / "film.mp4", 1, codec="libx264", change=turn)).facts
    picture = np.arange(6).reshape(1, 2, 3)
    expected = np.rot90(picture, angle // 90, axes=(1, 2))  # counterclockwise, as FFmpeg counts
    expected = expected[..., ::-1] if mirrored else expected
    np.testing.assert_array_equal(facts.upright(picture), expected)
    np.testing.assert_array_equal(facts.as_stored(facts.upright(picture)), picture)


def test_black_and_white() -> None:
    def facts(bits: int, color_range: int) -> FilmFacts:
        one = Fraction(1)
        return FilmFacts(9, 9, bits, one, one, one, color_range, 2, 2, 2, None, None, "h264")

    assert [facts(8, 0).black_and_white, facts(10, 1).black_and_white] == [(16, 235), (64, 940)]
    assert [facts(8, 2).black_and_white, facts(10, 2).black_and_white] == [(0, 255), (0, 1023)]
