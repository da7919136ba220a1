"""What a user can say about films, beside what they say about photographs: checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from colorize.errors import ColorizeError
from colorize.film.codecs import CODECS

_OF_PHOTOGRAPHS = {"samples": 0, "uncertainty": False, "side_by_side": False, "keep_color": False}


@dataclass(frozen=True)
class FilmSettings:
    """The keys of `conf/predict.yaml` that say how films are coloured and written.

    Attributes:
        codec: one of `CODECS`; None for what the container is known for.
        crf: constant quality, of the codec's own scale, 0 being lossless; None for the codec's default.
        smooth: how steady the colours are, 0 (each frame for itself) to 1.
        saturation, tta, temperature: as of photographs.
        max_megapixels: of one frame; larger films are refused.
        overwrite: whether a film that is there is made again.
    """

    codec: str | None = None
    crf: float | None = None
    smooth: float = 0.5
    saturation: float = 1.0
    tta: bool = True
    temperature: float | None = None
    max_megapixels: float = 200
    overwrite: bool = False

    @classmethod
    def from_config(cls, cfg: Mapping[str, Any]) -> FilmSettings:
        """The settings of a composed configuration, whose keys of photographs are checked already.

        Raises:
            ColorizeError: a value that is not possible, or a wish that only photographs can have.
        """
        settings = cls(**{name: cfg[name] for name in cls.__dataclass_fields__})
        codec, crf, smooth = settings.codec, settings.crf, settings.smooth
        if codec is not None and codec not in CODECS:
            raise ColorizeError(f"codec={codec} is not possible: give {', '.join(CODECS)}, or null, which chooses.")
        if crf is not None and (type(crf) not in (int, float) or not 0 <= crf <= 63):
            raise ColorizeError(f"crf={crf} is not possible: give a number from 0, which is lossless, or null.")
        if type(smooth) not in (int, float) or not 0 <= smooth <= 1:
            raise ColorizeError(f"smooth={smooth} is not possible: give a number from 0 to 1.")
        for name, default in _OF_PHOTOGRAPHS.items():
            if cfg[name] != default:
                said = str(cfg[name]).lower()
                raise ColorizeError(
                    f"{name}={said} is for photographs, and there is a film: leave it out, or colour the photographs "
                    "alone, by patterns such as input='ALBUM/**/*.jpg'."
                )
        return settings
