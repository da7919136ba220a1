"""Photographs a second of predict.py's pipeline, beside those of the codec alone, by megapixels and threads.

    python -m tests.benchmarks.predict_speed [--folder PHOTOGRAPHS] [--megapixels 1 12] [--threads 1 2] [--cpu]
        [--json FILE]

The codec alone is Pillow reading a JPEG in colour as RGB and writing it again with the same quality (4:2:0), in as many
threads. Both, and the pipeline on the same photographs in gray, take turns in one process; the least time of each is
shown. --cpu counts the seconds of the CPU instead of those of the clock, for one thread on a machine that others use
too: ratios then do not depend on them. Photographs (without a folder, painted scenes) are enlarged or shrunk to the
size, and get grain.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import make_plan
from colorize.album.settings import Settings
from colorize.images import find_photographs, read_rgb
from colorize.images.memory import keep_memory
from colorize.inference.colorizer import Colorizer
from colorize.scenery import render_scenes
from tests.benchmarks.turns import least_seconds

GRAIN = 4.0  # standard deviation, of 255


def pictures(folder: Path | None) -> list[Image.Image]:
    if folder is not None:
        return [Image.fromarray(read_rgb(path)) for path in find_photographs(folder)]
    return [Image.fromarray(scene) for scene in render_scenes(range(4), 512)]


def make_album(folder: Path, sources: list[Image.Image], megapixels: float, count: int) -> None:
    """`count` JPEGs of 4:3 in folder/color, and the same in gray in folder/gray."""
    generator = np.random.default_rng(0)
    size = round((megapixels * 4e6 / 3) ** 0.5), round((megapixels * 3e6 / 4) ** 0.5)
    for name in ("color", "gray"):
        (folder / name).mkdir(parents=True)
    for number in range(min(count, len(sources))):
        pixels = np.asarray(sources[number].resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
        pixels += generator.normal(0, GRAIN, (*pixels.shape[:2], 1)).astype(np.float32)
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        for copy in range(number, count, len(sources)):
            image.save(folder / f"color/{copy}.jpg", quality=90)
            image.convert("L").save(folder / f"gray/{copy}.jpg", quality=90)


def codec(album: Path, output: Path, threads: int) -> None:
    def copy(path: Path) -> None:
        with Image.open(path) as image:
            image.save(output / path.name, quality=Settings.quality)

    output.mkdir()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(copy, album.iterdir()))


def predict(colorizer: Colorizer, album: Path, output: Path, threads: int) -> None:
    keep_memory(True)
    rows: list[LedgerRow] = []
    pipeline = Pipeline(colorizer, Settings(), rows.append, threads)
    pipeline.run(make_plan(str(album), str(output)).jobs)
    keep_memory(False)  # as the codec alone has it
    assert {row.status for row in rows} == {"done"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 3, 12])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--checkpoint", default="photographs")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    colorizer, sources, table = Colorizer.load(asked.checkpoint), pictures(asked.folder), []
    print(f"{'megapixels':>10s}{'threads':>9s}{'codec/s':>9s}{'gray/s':>9s}{'ratio':>8s}{'color/s':>9s}{'ratio':>8s}")
    for megapixels in asked.megapixels:
        with tempfile.TemporaryDirectory() as temporary:
            album = Path(temporary)
            make_album(album, sources, megapixels, asked.count)
            for threads in asked.threads:
                torch.set_num_threads(threads)
                cv2.setNumThreads(threads)
                ways: dict[str, Callable[[Path], None]] = {
                    "codec": partial(codec, album / "color", threads=threads),
                    "gray": partial(predict, colorizer, album / "gray", threads=threads),
                    "color": partial(predict, colorizer, album / "color", threads=threads),
                }
                seconds = least_seconds(ways, asked.repeats, asked.cpu)
                speed = {name: asked.count / value for name, value in seconds.items()}
                table.append({"megapixels": megapixels, "threads": threads, **speed})
                ratios = {name: speed[name] / speed["codec"] for name in ("gray", "color")}
                print(
                    f"{megapixels:10g}{threads:9d}{speed['codec']:9.2f}{speed['gray']:9.2f}{ratios['gray']:8.2f}"
                    f"{speed['color']:9.2f}{ratios['color']:8.2f}",
                    flush=True,
                )
    if asked.json is not None:
        asked.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
