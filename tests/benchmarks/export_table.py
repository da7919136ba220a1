"""ONNX files beside torch: size, CPU speed and quality.

    python -m tests.benchmarks.export_table FOLDER CALIBRATION [WEIGHTS] [--limit N] [--files FOLDER]

FOLDER has colour photographs (each folder in it a kind), which are cut to 128x128, made gray at 8 bits and coloured
again without `tta`; CALIBRATION has others, for int8. The files are written to --files, or taken from there. Speed is
that of the network alone on one square picture of the working size: all take turns, and the time is the median's, as a
multiple of torch's.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from colorize.export.write import export
from colorize.inference.colorizer import Colorizer
from tests.benchmarks.vividness import by_kind, evaluate

ROUNDS = 15
VARIANTS = ("float32", "float16", "int8")
SHOWN = ("mse_ratio", "psnr", "delta_e", "colorfulness_ratio")


def files(folder: Path, source: str, calibration: Path) -> dict[str, Path]:
    """The ONNX file of each variant; those that are there stay."""
    paths = {variant: folder / f"{variant}.onnx" for variant in VARIANTS}
    for variant, path in paths.items():
        if not path.exists():
            export(
                path,
                source,
                precision="float16" if variant == "float16" else "float32",
                calibration=calibration if variant == "int8" else None,
            )
    return paths


def seconds(colorizers: Sequence[Colorizer]) -> list[float]:
    """The median time of one picture in each of them."""
    size = colorizers[0].working_size
    picture = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    times: list[list[float]] = [[] for _ in colorizers]
    for number in range(ROUNDS + 1):
        for colorizer, taken in zip(colorizers, times, strict=True):
            start = time.process_time()
            colorizer.predict_ab(picture)
            if number:  # the first prepares
                taken.append(time.process_time() - start)
    return [median(taken) for taken in times]


def difference(colorizer: Colorizer, reference: Colorizer, batches: Sequence[Tensor]) -> float:
    """The mean difference of ab, in Lab units."""
    total = count = 0.0
    for rgb in batches:
        gap = (colorizer.predict_ab(rgb) - reference.predict_ab(rgb)).abs()
        total, count = total + gap.sum().item(), count + gap.numel()
    return total / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("weights", nargs="?", default="photographs")
    parser.add_argument("--limit", type=int, default=16, help="pictures of each kind")
    parser.add_argument("--files", type=Path, help="folder of the ONNX files")
    options = parser.parse_args()
    batches = [batch for kind in by_kind(options.folder, options.limit).values() for batch in kind]
    with tempfile.TemporaryDirectory() as temporary:
        paths = files(options.files or Path(temporary), options.weights, options.calibration)
        torchs = Colorizer.load(options.weights, device="cpu", precision="32")
        colorizers = {"torch, float32": torchs}
        colorizers |= {f"ONNX, {variant}": Colorizer.load(path, device="cpu") for variant, path in paths.items()}
        torchs.save(Path(temporary) / "torch.safetensors", torch.float32)
        sizes = [(Path(temporary) / "torch.safetensors").stat().st_size]
        sizes += [path.stat().st_size for path in paths.values()]
    times = seconds([*colorizers.values()])
    print(f"| | MB | time / torch's | mean difference of ab | {' | '.join(SHOWN)} |")
    print("|---" * (4 + len(SHOWN)) + "|")
    for (name, colorizer), size, taken in zip(colorizers.items(), sizes, times, strict=True):
        metrics = evaluate(batches, colorizer, {"tta": False})
        gap = 0.0 if colorizer is torchs else difference(colorizer, torchs, batches)
        figures = " | ".join(f"{metrics[metric]:.4f}" for metric in SHOWN)
        print(f"| {name} | {size / 1e6:.1f} | {taken / times[0]:.2f} | {gap:.3f} | {figures} |", flush=True)
    print(f"{metrics['n_images']} pictures; torch takes {1000 * times[0]:.0f} ms of one CPU core for one")


if __name__ == "__main__":
    main()
