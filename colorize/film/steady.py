"""A stand-in: the colours of each frame for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

LONGEST = 24


@dataclass(frozen=True)
class Carry:
    number: int = 0

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        return {"number": np.array(self.number)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[np.generic]]) -> Carry:
        return cls(int(arrays["number"]))


@dataclass(frozen=True)
class Block:
    chroma: list[npt.NDArray[np.float32]]
    carry: Carry


class SteadyColors:
    def __init__(
        self, colorizer: Any, smooth: float = 0.5, *, tta: bool = True, temperature: float | None = None
    ) -> None:
        self._colorizer = colorizer
        self._tta = tta
        self._temperature = temperature

    def blocks(self, lumas: Iterable[npt.NDArray[np.float32]], carry: Carry | None = None) -> Iterator[Block]:
        number = 0 if carry is None else carry.number
        chroma: list[npt.NDArray[np.float32]] = []
        for luma in lumas:
            small = torch.from_numpy(luma).expand(1, 3, -1, -1)
            chroma.append(self._colorizer.predict_ab(small, self._tta, self._temperature)[0].numpy())
            number += 1
            if len(chroma) == LONGEST:
                yield Block(chroma, Carry(number))
                chroma = []
        if chroma:
            yield Block(chroma, Carry(number))
