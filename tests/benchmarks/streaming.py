"""What it takes to pack, shard and read pictures: seconds of one CPU core and bytes for each, and their ratios.

    python -m tests.benchmarks.streaming [FOLDER] [--count 400] [--image-size 128]

Photographs (without a folder, painted scenes of 0.3 megapixels as JPEGs) are packed (`data=photographs`) and written
as shards, then an epoch of each is read. The seconds are those of the CPU, the least of three, so that they do not
depend on what else the machine does. Bytes of the disk are exact.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from colorize.data.base import ImageData
from colorize.data.folder import FolderData
from colorize.data.pack import pack
from colorize.data.shards import write_shards
from colorize.data.streaming import StreamingData
from colorize.images import find_photographs
from colorize.scenery import render_scenes

ROUNDS = 3


def paint(folder: Path, count: int) -> None:
    scenes = [Image.fromarray(scene) for scene in render_scenes(range(8), 320)]
    for number in range(count):
        scenes[number % len(scenes)].resize((640, 480)).save(folder / f"{number}.jpg", quality=90)


def cpu_seconds(work: Callable[[int], object]) -> float:
    times = []
    for number in range(ROUNDS):
        before = time.process_time()
        work(number)
        times.append(time.process_time() - before)
    return min(times)


def epoch(data: ImageData) -> None:
    torch.manual_seed(0)
    data.prepare_data()
    data.setup("fit")
    for batch in data.train_dataloader():
        assert batch["rgb"].dtype == torch.uint8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--image-size", type=int, default=128)
    options = parser.parse_args()
    size = options.image_size
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = options.folder or root / "photographs"
        if options.folder is None:
            folder.mkdir()
            paint(folder, options.count)
        files = find_photographs(folder)
        count = len(files)
        seconds = {
            "pack": cpu_seconds(lambda n: pack(folder, files, size, root / f"pack{n}", workers=1)),
            "shard": cpu_seconds(lambda n: write_shards(folder, root / f"shards{n}", size, 0, 0)),
        }
        packed = FolderData(str(folder), None, str(root / "pack0"), size, 32, 0, 0, 1)
        streamed = StreamingData(str(root / "shards0"), str(root), size, 32)
        epoch(packed)
        epoch(streamed)  # so that what is read lies in memory
        seconds["read, packed"] = cpu_seconds(lambda _: epoch(packed))
        seconds["read, shards"] = cpu_seconds(lambda _: epoch(streamed))
        on_disk = sum(path.stat().st_size for path in (root / "shards0").rglob("*") if path.is_file())
        source = sum(file.stat().st_size for file in files)
    rates = {what: round(count / value, 1) for what, value in seconds.items()}
    print(f"{count} files, {source / count:,.0f} bytes each; {on_disk / count:,.0f} bytes in shards of {size}x{size}")
    for what, rate in rates.items():
        print(f"{what:<14}{rate:>10,.0f} pictures for a second of one core, {rate / rates['pack']:.2f} times packing")
    print(json.dumps({"bytes": on_disk / count, **rates}))


if __name__ == "__main__":
    main()
