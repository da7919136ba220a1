"""config.yaml of a run."""

import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from colorize.training.config import save_config

SAVE = """
import sys
from omegaconf import OmegaConf
from colorize.training.config import save_config
save_config(OmegaConf.create({"run_dir": sys.argv[1]}))
"""


@pytest.mark.parametrize("rank", [0, 1])
def test_rank_zero_alone_writes_it(rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorize.training.config.rank_zero_only.rank", rank)
    save_config(OmegaConf.create({"run_dir": str(tmp_path / "run"), "seed": 3, "same": "${seed}"}))
    assert (tmp_path / "run/config.yaml").is_file() == (rank == 0)
    if rank == 0:
        assert OmegaConf.load(tmp_path / "run/config.yaml") == {"run_dir": str(tmp_path / "run"), "seed": 3, "same": 3}


@pytest.mark.slow
def test_a_rank_is_known_before_there_is_a_trainer(tmp_path: Path) -> None:
    """Lightning starts a further rank of a node with LOCAL_RANK."""
    subprocess.run([sys.executable, "-c", SAVE, tmp_path], env={"LOCAL_RANK": "1"}, check=True)
    assert list(tmp_path.iterdir()) == []
