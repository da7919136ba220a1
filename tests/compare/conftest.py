"""Folders of runs, as train.py leaves them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes a run's folder in `sweep/`; settings are Hydra's choices and overrides, mse is its result."""

    def make(number: int, mse: float | None = 0.004, error: str | None = None, **settings: str) -> Path:
        folder = tmp_path / "sweep" / str(number)
        (folder / ".hydra").mkdir(parents=True)
        choices = {"model": "lab_unet", "data": "cifar10", "experiment": None}
        choices |= {key: value for key, value in settings.items() if key in choices}
        hydra = {"hydra": {"runtime": {"choices": choices}, "job": {"num": number}}}
        OmegaConf.save(hydra, folder / ".hydra/hydra.yaml")
        keys = {key.replace("__", "."): value for key, value in settings.items()}
        keys["data.root"] = f"/{choices['data']}"
        config = {key: value for key, value in keys.items() if key not in choices}
        OmegaConf.save(OmegaConf.from_dotlist([f"{k}={v}" for k, v in config.items()]), folder / ".hydra/config.yaml")
        OmegaConf.save([f"{key}={value}" for key, value in keys.items()], folder / ".hydra/overrides.yaml")
        if error is not None:
            (folder / "error.txt").write_text(f"{error}\n")
        if mse is not None:
            size = 16 if choices["data"] == "cifar10" else 24
            metrics = {"test/mse": mse, "test/psnr": -10 * np.log10(mse), "test/colorfulness_ratio": 0.4}
            metrics |= {"floor/mse": 0.1 / size, "floor/psnr": 22.0, "floor/colorfulness_ratio": 0.0}
            metrics |= {"n_images": 8, "parameters": 1234567, "epochs": 3, "seconds": 12.5}
            (folder / "metrics.json").write_text(json.dumps(metrics))
            truth = np.full((8, size, size, 3), (200, 30, 30), np.uint8)
            gray, green = np.full_like(truth, 90), np.full_like(truth, (10, 250, 10))
            np.savez(folder / "test_samples.npz", input=gray, prediction=green, truth=truth, index=np.arange(8))
        return folder

    return make
