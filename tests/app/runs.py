"""Runs as train.py leaves them, without a training."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from colorize.inference.colorizer import Colorizer


def make_run(folder: Path, width: int, mse: float = 0.004) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    (folder / "config.yaml").write_text(f"data:\n  image_size: 32\nmodel:\n  network: {{name: UNet, width: {width}}}\n")
    (folder / ".hydra/config.yaml").write_text("{}\n")
    (folder / ".hydra/overrides.yaml").write_text(f"[model.network.width={width}]\n")
    (folder / ".hydra/hydra.yaml").write_text(
        f"hydra: {{job: {{num: {width}}}, runtime: {{choices: {{model: lab_unet, data: scenes}}}}}}\n"
    )
    metrics = {"test/mse": mse, "test/psnr": 23.5, "floor/mse": 0.006, "floor/psnr": 21.0, "n_images": 8}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    for name in ("curves.png", "samples.png"):
        Image.fromarray(np.full((20, 30, 3), width, np.uint8)).save(folder / name)
    return folder


def save_best(run: Path, colorizer: Colorizer) -> None:
    """Its best checkpoint, with what inference needs."""
    state = {f"network.{name}": tensor for name, tensor in colorizer.network.state_dict().items()}
    checkpoint = {
        "task": "LabBinsTask",
        "hyper_parameters": {},
        "state_dict": state,
        "target": colorizer.target.describe(),
        "network": dict(colorizer.network.spec),
        "config": {"data": {"image_size": colorizer.working_size}},
        "epoch": 2,
    }
    torch.save(checkpoint, run / "checkpoints/best.ckpt")
