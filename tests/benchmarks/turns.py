"""Several ways to the same, timed side by side: they take turns, and the least time of each counts."""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def least_seconds(
    ways: Mapping[str, Callable[[Path], object]], repeats: int, cpu: bool, name: str = "out"
) -> dict[str, float]:
    """Of each way, which is given a path `name` in a new folder; seconds of the CPU or of the clock."""
    clock = time.process_time if cpu else time.perf_counter
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats):
        for key, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                started = clock()
                way(Path(folder, name))
                least[key] = min(least[key], clock() - started)
    return least
