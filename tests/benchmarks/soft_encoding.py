"""What soft encoding costs: a training step of `lab_bins` with it, and with the shares of every pixel known already.

    OMP_NUM_THREADS=1 python tests/benchmarks/soft_encoding.py [ROUNDS]

The steps take turns; printed are the medians of their milliseconds of CPU, those of the encoding by itself and its
share of a step, and beside them a step with the cross-entropy of the nearest bin alone.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import rgb_to_lab
from colorize.scenery import render_scenes
from colorize.tasks import LabBinsTask

NETWORKS = {"UNet": {"name": "UNet"}, "EncoderUNet": {"name": "EncoderUNet"}}
BATCH, SIZE = 8, 128


def make_step(task: LabBinsTask, rgb: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], None]:
    """A step of training from uint8 RGB to new weights, `loss` of prediction and target."""
    optimizer = torch.optim.AdamW(task.parameters())

    def step() -> None:
        batch = {"rgb": rgb}
        prediction = task(task.target.see(rgb / 255)).float()
        optimizer.zero_grad()
        loss(prediction, task.answer(batch)).backward()
        optimizer.step()

    return step


def steps(network: dict[str, str], rgb: Tensor) -> dict[str, Callable[[], object]]:
    torch.manual_seed(0)
    task = LabBinsTask(network, {"name": "soft_cross_entropy"}, {"name": "AdamW"})
    encode, ab = task.cross_entropy.encode, rgb_to_lab(rgb / 255)[:, 1:]
    small = F.avg_pool2d(ab, task.network.output_stride)
    known = encode(small)

    def soft(prediction: Tensor, y: Tensor) -> Tensor:
        return task.compare(y, prediction, y)

    def without(prediction: Tensor, y: Tensor) -> Tensor:
        task.cross_entropy.encode = lambda ab: known  # type: ignore[method-assign]
        try:
            return task.compare(y, prediction, y)
        finally:
            task.cross_entropy.encode = encode  # type: ignore[method-assign]

    def nearest(prediction: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(prediction, known[0][..., 0])

    return {
        "soft": make_step(task, rgb, soft),
        "known": make_step(task, rgb, without),
        "encoding": partial(encode, small),
        "nearest": make_step(task, rgb, nearest),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rgb = torch.stack([torch.from_numpy(scene).permute(2, 0, 1) for scene in render_scenes(range(BATCH), SIZE)])
    print(f"{'ms a step':14s}{'soft':>10s}{'known':>10s}{'encoding':>10s}{'share':>10s}{'nearest bin':>14s}")
    for name, network in NETWORKS.items():
        each = steps(network, rgb)
        seconds: dict[str, list[float]] = {kind: [] for kind in each}
        for number in range(rounds + 1):
            for kind, step in each.items():
                started = time.process_time()  # of this process: others may run beside it
                step()
                if number:  # the first one warms up
                    seconds[kind].append(time.process_time() - started)
        soft, known, encoding, nearest = (1000 * median(seconds[kind]) for kind in each)
        print(f"{name:14s}{soft:10.0f}{known:10.0f}{encoding:10.1f}{encoding / soft:10.1%}{nearest:14.0f}")


if __name__ == "__main__":
    main()
