"""Milliseconds of a training step on one core: in float32, in bfloat16, and compiled.

    python tests/benchmarks/steps.py [--models lab_unet ...] [--compile] [--json FILE]

The input is what conversion and augmentation of its batch take; the network is the rest, forward, backward and
optimizer. Seconds are those of the CPU. cifar10_convnet has CIFAR's shape, 32x32 and a batch of 100.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from tests.benchmarks.models import configuration, loss_of, make
from tests.benchmarks.table import parser, report

OVERRIDES = {
    "lab_unet": ["model=lab_unet"],
    "lab_encoder_unet": ["model=lab_encoder_unet"],
    "cifar10_convnet": ["model=rgb_convnet", "data.image_size=32", "data.batch_size=100"],
}


def least(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(1000 * (time.process_time() - started))
    return min(times)


def measure(name: str, repeats: int, with_compile: bool) -> dict[str, Any]:
    cfg = configuration(*OVERRIDES[name])
    task, data, optimizer = make(cfg)
    task.train()
    batch = data.sample("train", cfg.data.batch_size)

    def step(dtype: torch.dtype) -> None:
        optimizer.zero_grad()
        loss_of(task, batch, dtype).backward()
        optimizer.step()

    row: dict[str, Any] = {"model": name}
    row["input_ms"] = least(lambda: data.augment(dict(batch)), repeats)
    row["float32_ms"] = least(lambda: step(torch.float32), repeats)
    row["bf16_ms"] = least(lambda: step(torch.bfloat16), repeats)
    row["bf16/float32"] = row["bf16_ms"] / row["float32_ms"]
    if with_compile:
        task.network.compile()
        step(torch.float32)
        row["compiled_ms"] = least(lambda: step(torch.float32), repeats)
    return row


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--models", nargs="+", default=list(OVERRIDES))
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--compile", action="store_true")
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    report([measure(name, asked.repeats, asked.compile) for name in asked.models], asked.json)


if __name__ == "__main__":
    main()
