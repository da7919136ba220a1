"""How much colours flicker and how right they are, frame by frame and steadied: E_warp and mse, at several `smooth`.

    python -m tests.benchmarks.flicker [FILM ...] [--clips 6] [--frames 24] [--grain 3] [--weights photographs]
        [--smooth 0 0.5 1] [--key-every 4] [--animation FILE.webp --show 0] [--json FILE]

Clips are cameras over painted scenes with things that move before them, whose motion is known (tests/film/clips.py),
made gray and given grain. Films (needs PyAV) are in colour; their first --frames frames are made gray, and their motion
is estimated on that gray by DIS, which the steadying uses too, at another size. Both are coloured as films are: small
colours merged with the luma at full size. What is measured is the colour added, R'G'B' less its gray, not rounded: the
film's own luma and its grain, which nothing changes, are left out. Of that the E_warp (tests/film/warping.py), and the
mean square difference from the true colours. Ratios are to the first `smooth`; cpu_ms is the time of the CPU for the
small colours of a frame.

The animation shows clip --show: the first `smooth` on the left, the second on the right, below each the colour added.
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from colorize.film.steady import SteadyColors
from colorize.inference.colorizer import Colorizer
from colorize.inference.merge import merge_batch
from tests.film.clips import Clip, painted_clip
from tests.film.warping import estimate_motion, warping_error

Floats = npt.NDArray[np.float32]
GRAY = np.array([0.299, 0.587, 0.114], np.float32)


def read_film(path: Path, count: int) -> Clip:
    import av  # not needed for painted clips

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), count)]
    rgb = np.stack(frames).astype(np.float32) / 255
    luma = rgb @ GRAY
    return Clip(rgb, luma, *estimate_motion(np.rint(luma * 255).astype(np.uint8)))


def color(colorizer: Colorizer, clip: Clip, smooth: float, key_every: int) -> tuple[Floats, float]:
    """The pictures (T, H, W, 3) in [0, 1], and the seconds of the CPU for the small colours of all frames."""
    small = [colorizer.shrink(np.rint(luma * 255).astype(np.uint8)) for luma in clip.luma]
    started = time.process_time()
    steady = SteadyColors(colorizer, smooth, key_every=key_every)
    chroma = [ab for block in steady.blocks(gray[0].numpy() for gray in small) for ab in block.chroma]
    seconds = time.process_time() - started
    pictures = []
    for luma, gray, ab in zip(clip.luma, small, chroma, strict=True):
        picture = merge_batch(torch.from_numpy(luma).expand(1, 3, -1, -1), gray[None], torch.from_numpy(ab)[None])
        pictures.append(picture[0].permute(1, 2, 0).numpy())
    return np.stack(pictures), seconds


def added(rgb: Floats) -> Floats:
    """R'G'B' less its gray."""
    return rgb - (rgb @ GRAY)[..., None]


def measure(clip: Clip, pictures: Floats) -> dict[str, float]:
    values, true = added(pictures), added(clip.rgb)
    return {
        "e_warp": warping_error(values, clip.flows, clip.seen),
        "e_warp_true": warping_error(true, clip.flows, clip.seen),
        "mse": float(np.square(values - true).mean()),
    }


def animate(path: Path, left: Floats, right: Floats) -> None:
    """Two films beside each other, and below them the colour added, three times as strong, on gray."""
    both = np.concatenate([left, right], axis=2)
    both = np.concatenate([both, (0.5 + 3 * added(both)).clip(0, 1)], axis=1)
    width, height = 720, round(720 * both.shape[1] / both.shape[2])
    size = (width, height)
    frames = [Image.fromarray(np.rint(frame * 255).astype(np.uint8)) for frame in both]
    frames = [frame.resize(size, Image.Resampling.LANCZOS) for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0, quality=75, method=6)


def sources(options: argparse.Namespace) -> Iterator[tuple[str, str, Clip]]:
    """Kind, name and frames of each."""
    for number in range(options.clips):
        yield "painted", str(number), painted_clip(number, options.frames, 270, 480, options.grain)
    for path in options.films:
        yield "films", path.name, read_film(path, options.frames)


def show(name: str, smooth: float, row: dict[str, float], first: dict[str, float]) -> None:
    figures = "  ".join(f"{key} {value:.3g}" for key, value in row.items())
    ratios = "  ".join(f"{key} {row[key] / first[key]:.3f}" for key in ("e_warp", "mse"))
    print(f"{name:28} smooth {smooth:<4} {figures}  ratios: {ratios}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--grain", type=float, default=3.0, help="standard deviation, of 255")
    parser.add_argument("--weights", default="photographs")
    parser.add_argument("--smooth", type=float, nargs="+", default=[0, 0.5, 1])
    parser.add_argument("--key-every", type=int, default=4)
    parser.add_argument("--animation", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    colorizer = Colorizer.load(options.weights)
    table: dict[str, dict[float, list[dict[str, float]]]] = {}
    for number, (kind, name, clip) in enumerate(sources(options)):
        pictures = []
        rows = table.setdefault(kind, {smooth: [] for smooth in options.smooth})
        for smooth in options.smooth:
            picture, seconds = color(colorizer, clip, smooth, options.key_every)
            pictures.append(picture)
            rows[smooth].append(measure(clip, picture) | {"cpu_ms": 1000 * seconds / len(picture)})
            show(f"{kind} {name}", smooth, rows[smooth][-1], rows[options.smooth[0]][-1])
        if options.animation is not None and number == options.show:
            animate(options.animation, *pictures[:2])
    for kind, rows in table.items():
        means = {s: {key: float(np.mean([row[key] for row in rows[s]])) for key in rows[s][0]} for s in rows}
        for smooth in means:
            show(f"mean of {len(rows[smooth])} {kind}", smooth, means[smooth], means[options.smooth[0]])
    if options.json is not None:
        options.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
