"""The codecs that films are written in, and what their encoders are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2

from colorize.errors import ColorizeError

CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
}
"""The suffixes of films that are written, and FFmpeg's names of their formats."""

_AVX512_SKX = 256  # CV_CPU_AVX512_SKX of OpenCV: the instructions for which x264 takes its AVX-512 code


def _h264(crf: float, threads: int) -> dict[str, str]:
    quality = {"qp": "0"} if crf == 0 else {"crf": f"{crf:g}"}  # with 10 bits crf=0 is not lossless
    made = quality | {"threads": str(threads), "preset": "medium"}
    if cv2.checkHardwareSupport(_AVX512_SKX):
        # The AVX-512 code of x264's macroblock tree reads memory that nobody has written: other packets each time.
        made["x264-params"] = "asm=avx2"
    return made


def _hevc(crf: float, threads: int) -> dict[str, str]:
    frames = min(4, max(1, threads // 4))
    steps = f"pools={threads}:frame-threads={frames}:open-gop=0:log-level=none"
    return {"x265-params": f"crf={crf:g}:{steps}", "preset": "medium"}


def _av1(crf: float, threads: int) -> dict[str, str]:
    quality = "lossless=1" if crf == 0 else f"crf={crf:g}"
    return {"svtav1-params": f"{quality}:lp={min(6, threads)}", "preset": "8"}


def _prores(crf: float, threads: int) -> dict[str, str]:
    return {"profile": "standard", "vendor": "apl0", "threads": str(threads)}


def _ffv1(crf: float, threads: int) -> dict[str, str]:
    return {"level": "3", "slicecrc": "1", "g": "1", "threads": str(threads)}


@dataclass(frozen=True)
class FilmCodec:
    """A codec.

    Attributes:
        encoder: FFmpeg's name of it.
        name: of its format, as FFmpeg's decoders say it.
        formats: of its pixels, by bits.
        options: of the encoder, for a crf and a number of threads.
        crf, highest: the default and the largest crf; None where the quality cannot be chosen.
    """

    encoder: str
    name: str
    formats: dict[int, str]
    options: Callable[[float, int], dict[str, str]]
    crf: float = 0
    highest: float | None = None

    @property
    def bits(self) -> set[int]:
        return set(self.formats)


_BOTH = {8: "yuv420p", 10: "yuv420p10le"}
CODECS = {
    "h264": FilmCodec("libx264", "h264", _BOTH, _h264, 18, 51),
    "hevc": FilmCodec("libx265", "hevc", _BOTH, _hevc, 20, 51),
    "av1": FilmCodec("libsvtav1", "av1", _BOTH, _av1, 25, 63),
    "prores": FilmCodec("prores_ks", "prores", {10: "yuv422p10le"}, _prores),
    "ffv1": FilmCodec("ffv1", "ffv1", _BOTH, _ffv1),
}


def choose_codec(name: str | None, suffix: str) -> str:
    """The codec for a film whose name ends in `suffix`, when the user says `name`.

    Raises:
        ColorizeError: the container cannot hold it.
    """
    if name is None:
        return "av1" if suffix == ".webm" else "h264"
    if suffix == ".webm" and name != "av1":
        raise ColorizeError(f"codec={name} cannot be in .webm: use codec=av1, or an output that ends in .mkv.")
    if name == "prores" and suffix not in (".mov", ".mkv"):
        raise ColorizeError(f"codec=prores cannot be in {suffix}: use an output that ends in .mov or .mkv.")
    if name == "ffv1" and suffix not in (".mkv", ".avi", ".mov"):
        raise ColorizeError(f"codec=ffv1 cannot be in {suffix}: use an output that ends in .mkv.")
    if name in ("hevc", "av1") and suffix == ".avi":
        raise ColorizeError(f"codec={name} cannot be in .avi: use codec=h264, or an output that ends in .mkv.")
    return name


def check_crf(codec: str, crf: float | None) -> float:
    """The crf that a codec is told.

    Raises:
        ColorizeError: the codec has no such crf.
    """
    highest = CODECS[codec].highest
    if crf is None:
        return CODECS[codec].crf
    if highest is None:
        raise ColorizeError(f"crf={crf:g} has no use with codec={codec}, whose quality is fixed: leave it out.")
    if crf == 0 and codec == "hevc":  # x265 4.2 of PyAV's wheel loses some, and other each time
        raise ColorizeError("crf=0, lossless, is not possible with codec=hevc: use codec=h264 or codec=ffv1.")
    if crf > highest:
        raise ColorizeError(f"crf={crf:g} is not possible with codec={codec}: give at most {highest:g}.")
    return crf
