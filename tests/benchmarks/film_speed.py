"""Frames a second of a coloured film, beside decoding and encoding alone with the same codec and threads.

    python -m tests.benchmarks.film_speed [--film FILE] [--frames 96] [--height 1080] [--codec h264 prores]
        [--threads 1] [--smooth 0.5] [--no-tta] [--cpu] [--json FILE]

Both take turns in one process; the least time of each is shown. --cpu counts the seconds of the CPU instead of those of
the clock, for one thread on a machine that others use too: ratios then do not depend on them. Without --film it is a
camera that pans over two painted scenes, with grain, in H.264.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from av import VideoFrame

from colorize.film.codecs import CODECS, check_crf
from colorize.film.encode import Recipe
from colorize.film.facts import rows_of
from colorize.film.make import make_film
from colorize.film.settings import FilmSettings
from colorize.film.source import Film
from colorize.inference.colorizer import Colorizer
from colorize.scenery import render_scenes
from tests.benchmarks.turns import least_seconds

GRAIN = 4.0  # standard deviation, of 255
SUFFIXES = {"h264": ".mp4", "hevc": ".mp4", "av1": ".mp4", "prores": ".mov", "ffv1": ".mkv"}


def paint_film(path: Path, frames: int, height: int) -> Path:
    """A gray film of 16:9, half of it of each of two scenes."""
    width = height * 16 // 9 // 2 * 2
    generator = np.random.default_rng(0)
    scenes = [
        cv2.resize(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), None, fx=width / 640, fy=width / 640).astype(np.float32)
        for scene in render_scenes(range(2), 768)
    ]
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream("libx264", rate=24, options={"crf": "18"})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        track.codec_context.time_base = Fraction(1, 24)
        for number in range(frames):
            scene, left = scenes[2 * number // frames], 3 * number % (height // 8)
            gray = scene[left : left + height, left : left + width] * (219 / 255) + 16
            gray = gray + generator.normal(0, GRAIN, gray.shape).astype(np.float32)
            frame = VideoFrame(width, height, "yuv420p")
            for place, plane in enumerate(frame.planes):
                rows_of(plane, np.uint8)[:] = gray.clip(16, 235).astype(np.uint8) if place == 0 else 128
            frame.pts = number
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


def transcode(film: Path, output: Path, codec: str, threads: int) -> None:
    """Decode and encode, nothing else."""
    source = Film(film, threads)
    recipe = Recipe(source.facts, codec, check_crf(codec, None), threads, output.suffix)
    with av.open(str(output), "w") as container:
        track: Any = container.add_stream(CODECS[codec].encoder, rate=source.facts.rate)
        recipe.configure(track)
        for frame in source.frames():
            frame.pict_type = 0
            container.mux(track.encode(frame))
        container.mux(track.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--codec", nargs="+", default=["h264"], choices=list(CODECS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--smooth", type=float, default=0.5)
    parser.add_argument("--no-tta", action="store_true")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--checkpoint", default="photographs")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    cv2.setNumThreads(asked.threads)
    colorizer, table = Colorizer.load(asked.checkpoint), []
    print(f"{'codec':>8s}{'codec/s':>9s}{'film/s':>9s}{'ratio':>8s}")
    with tempfile.TemporaryDirectory() as folder:
        film = asked.film or paint_film(Path(folder, "film.mp4"), asked.frames, asked.height)
        count = sum(1 for _ in Film(film).frames())
        for codec in asked.codec:
            settings = FilmSettings(codec, smooth=asked.smooth, tta=not asked.no_tta)
            ways: dict[str, Callable[[Path], object]] = {
                "codec": lambda output, codec=codec: transcode(film, output, codec, asked.threads),  # type: ignore[misc]
                "film": lambda output, settings=settings: make_film(  # type: ignore[misc]
                    film, output, colorizer, settings, asked.threads
                ),
            }
            seconds = least_seconds(ways, asked.repeats, asked.cpu, f"out{SUFFIXES[codec]}")
            speed = {name: count / value for name, value in seconds.items()}
            ratio = speed["film"] / speed["codec"]
            table.append({"codec": codec, **speed, "ratio": ratio})
            print(f"{codec:>8s}{speed['codec']:9.2f}{speed['film']:9.2f}{ratio:8.2f}", flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
