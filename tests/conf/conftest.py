"""Every test here composes from the project's own configuration."""

from collections.abc import Iterator

import pytest
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from colorize.cli.config import CONFIG_DIR


@pytest.fixture(autouse=True)
def hydra_config_dir() -> Iterator[None]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None
