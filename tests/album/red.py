"""For the tests of albums: a colorizer that paints everything red, and photographs for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import make_plan
from colorize.album.settings import Settings
from colorize.errors import ColorizeError
from colorize.images import Photograph, Pixels
from colorize.inference.colors import Colors
from colorize.targets import LabBinsTarget


class Red:
    """Sees a picture at an eighth of its size; ab is (saturation, 0) everywhere."""

    at_full_size = False
    device = torch.device("cpu")
    needs_color = True
    target = LabBinsTarget()

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.at_most = 99

    def shrink(self, pixels: Pixels) -> Tensor:
        return torch.zeros(3, pixels.shape[0] // 8, pixels.shape[1] // 8)

    def predict_colors(
        self, small: Tensor, *, tta: bool, temperature: float | None, samples: int, uncertainty: bool
    ) -> Colors:
        """Sample number n, from 1, is n + 1 times as red; the deviation is 25."""
        self.batches.append(tuple(small.shape))
        if len(small) > self.at_most:
            raise RuntimeError("out of memory")
        ab = torch.ones(len(small), 2, *small.shape[2:])
        others = torch.stack([(number + 2) * ab for number in range(samples)], 1) if samples else ab[:, None][:, :0]
        return Colors(ab, others, 25 * ab[:, :1] if uncertainty else None)

    def merge(self, pixels: Pixels, small: Tensor, ab: Tensor, saturation: float = 1.0) -> Pixels:
        assert small.shape[1:] == ab.shape[1:]
        return self.render(pixels, saturation=saturation * float(ab[0].mean()))

    def merge_for(self, path: Path, photograph: Photograph, *others: Any) -> Pixels:
        return self.merge(photograph.pixels, *others)

    def render(self, pixels: Pixels, *, saturation: float = 1.0, tta: bool = False) -> Pixels:
        picture = np.zeros((*pixels.shape[:2], 3), pixels.dtype)
        picture[..., 0] = round(100 * saturation)
        return picture


def photograph(path: Path, height: int = 16, width: int = 24, color: Any = 77) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(color, int) else "RGB"
    Image.new(mode, (width, height), color).save(path)
    return path


def go(colorizer: Any = None, stopping: Callable[[], bool] = lambda: False, **settings: Any) -> dict[str, LedgerRow]:
    """Every photograph of album/ into out/."""
    results: list[LedgerRow] = []
    threads = settings.pop("threads", 2)
    chosen = Settings(**settings)
    pipeline = Pipeline(colorizer or Red(), chosen, results.append, threads, stopping)
    others = (chosen.side_by_side, chosen.samples, chosen.uncertainty)
    pipeline.run(make_plan("album", "out", chosen.format, *others).jobs)
    if pipeline.disk_full:
        raise ColorizeError(pipeline.disk_full)
    assert len({result.file for result in results}) == len(results)
    assert not any(thread.is_alive() for pool in (pipeline._workers, pipeline._predictor) for thread in pool._threads)
    return {result.file.removeprefix("album/"): result for result in results}


def pixel(path: str) -> Any:
    with Image.open(path) as image:
        return image.size, image.convert("RGB").getpixel((0, 0))


def temporary_files() -> list[Path]:
    return list(Path().rglob(".*"))
