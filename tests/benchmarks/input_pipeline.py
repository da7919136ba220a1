"""Pictures a second that the painted scenes' data give a training, on one thread: fetched, and fetched and augmented.

python tests/benchmarks/input_pipeline.py [--image-size 64 128] [--json FILE]
"""

import time
from typing import Any

import torch

from colorize.data.scenes import SceneData
from tests.benchmarks.table import parser, report

PICTURES = 256


def measure(image_size: int) -> dict[str, Any]:
    data = SceneData(image_size=image_size, batch_size=32, train_size=PICTURES, val_size=2, test_size=2)
    data.prepare_data()
    data.setup("fit")
    row: dict[str, Any] = {"image_size": image_size}
    for name, augment in (("fetched", False), ("augmented", True)):
        started, count = time.process_time(), 0
        for batch in data.train_dataloader():
            count += len(data.augment(batch)["rgb"] if augment else batch["rgb"])
        row[f"{name}/s"] = round(count / (time.process_time() - started))
    return row


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--image-size", type=int, nargs="+", default=[64, 128])
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    report([measure(size) for size in asked.image_size], asked.json)


if __name__ == "__main__":
    main()
