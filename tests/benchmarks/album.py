"""Photographs a second, overlapped and one by one: python tests/benchmarks/album.py [FOLDER] [CHECKPOINT].

Without a folder, 64 scenes of 1500x1000 pixels are painted. Both ways make the same pictures in the same process.
"""

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import Job, make_plan
from colorize.album.settings import Settings
from colorize.images import read_photograph, write_photograph
from colorize.inference.colorizer import Colorizer
from colorize.scenery import render_scenes


def overlapped(colorizer: Colorizer, jobs: list[Job]) -> int:
    results: list[LedgerRow] = []
    settings = Settings()
    pipeline = Pipeline(colorizer, settings, results.append, settings.threads())
    pipeline.run(jobs)
    return sum(result.status == "done" for result in results)


def one_by_one(colorizer: Colorizer, jobs: list[Job]) -> int:
    for job in jobs:
        photograph = read_photograph(job.file)
        job.output.parent.mkdir(parents=True, exist_ok=True)
        write_photograph(job.output, colorizer.render(photograph.pixels), photograph)
    return len(jobs)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary, "album")
        if len(sys.argv) == 1:
            folder.mkdir()
            for number, scene in enumerate(render_scenes(range(64), 256)):
                Image.fromarray(scene).resize((1500, 1000)).save(folder / f"{number}.jpg")
        colorizer = Colorizer.load(*sys.argv[2:3])
        one_by_one(colorizer, make_plan(str(folder), f"{temporary}/warm").jobs[:2])
        for way in (one_by_one, overlapped):
            jobs = make_plan(str(folder), f"{temporary}/{way.__name__}").jobs
            started = time.perf_counter()
            done = way(colorizer, jobs)
            print(f"{way.__name__}: {done / (time.perf_counter() - started):.2f} photographs a second")


if __name__ == "__main__":
    main()
