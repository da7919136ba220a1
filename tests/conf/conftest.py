"""Every test here composes from the project's own configuration."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from colorize.cli.config import CONFIG_DIR
from colorize.data.shards import write_shards
from colorize.images import write_photograph


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with data for each data set that wants one."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("data")
    for number in range(30):
        write_photograph(folder / f"{number}.png", rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    pictures = rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    np.savez(folder / "cifar10.npz", x_train=pictures, x_test=pictures[:8])
    write_shards(folder, folder / "shards", 32, 0.3, 0.3)
    streaming = {"streaming": folder / "shards"}
    return {"landscapes": folder, "photographs": folder, "cifar10": folder, "paired": folder, **streaming}
