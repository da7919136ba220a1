"""What two ranks of a training see, in real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from colorize.images import write_photograph

TRAINING = """
import json, sys
from pathlib import Path
import pytorch_lightning as pl
import torch
from colorize.data.folder import FolderData

class Recorder(pl.LightningModule):
    def __init__(self, file):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.file, self.index, self.mirrored = file, [], []
    def training_step(self, batch, _):
        self.index += batch["index"].tolist()
        self.mirrored += (batch["rgb"][:, 0, 0, 0] > batch["rgb"][:, 0, 0, -1]).int().tolist()
        return self.layer(torch.ones(1)).sum()
    def on_train_end(self):
        Path(f"{self.file}{self.global_rank}.json").write_text(json.dumps([self.index, self.mirrored]))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

if __name__ == "__main__":
    root = Path(sys.argv[1])
    options = {"accelerator": "cpu", "devices": 2, "strategy": "ddp_fork", "max_epochs": 2, "logger": False}
    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    for name, weights in (("each", None), ("weighted", [1, 1]), ("again", [1, 1])):
        pl.seed_everything(0, workers=True, verbose=False)
        roots = [str(root / "many"), str(root / "few")]
        data = FolderData(roots, None, str(root / "cache"), 16, 8, 0.0, 0.0, 0.0, weights)
        pl.Trainer(**options, **quiet).fit(Recorder(str(root / name)), datamodule=data)
"""


def seen(root: Path, name: str) -> list[list[list[int]]]:
    """Of each rank, the pictures it saw, and whether each was mirrored."""
    return [json.loads((root / f"{name}{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.slow
def test_ranks_draw_and_mirror_differently(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 250, 16, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(16, axis=0)
    for name, count in (("many", 192), ("few", 64)):
        (tmp_path / name).mkdir()
        for number in range(count):
            write_photograph(tmp_path / name / f"{name}{number}.png", ramp)
    (tmp_path / "training.py").write_text(TRAINING)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(tmp_path / "training.py"), str(tmp_path)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    for name in ("each", "weighted"):
        (first, mirrored), (second, also_mirrored) = seen(tmp_path, name)
        assert len(first) == len(second) == 2 * 128  # half of the pictures in each of two epochs
        assert first != second
        assert 80 < sum(mirrored) < 176
        assert mirrored != also_mirrored
        if name == "each":
            assert sorted(first[:128] + second[:128]) == list(range(256))
        else:
            assert 0.4 < np.mean([index >= 192 for index in first + second]) < 0.6
    assert seen(tmp_path, "weighted") == seen(tmp_path, "again")
