"""Shards of small photographs, and what a training gets of them."""

from pathlib import Path
from typing import Any

import torch

from colorize.data.streaming import StreamingData

SIZE = 16
FRACTIONS = (0.2, 0.1)
THREE_PICTURES = 3.5 * (24 + SIZE * SIZE * 3) / 1e6  # megabytes


def make(root: Path | str, cache: Path, **options: Any) -> StreamingData:
    return StreamingData(str(root), str(cache), SIZE, 4, mix_shards=2, augment={"flip": False}, **options)


def loaded(root: Path | str, cache: Path, **options: Any) -> StreamingData:
    data = make(root, cache, **options)
    data.setup("fit")
    return data


def as_set(rgb: torch.Tensor) -> set[bytes]:
    return {picture.numpy().tobytes() for picture in rgb}


def epoch(data: StreamingData, number: int = 0) -> list[torch.Tensor]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(number)  # type: ignore[union-attr]
    return [batch["rgb"] for batch in loader]
