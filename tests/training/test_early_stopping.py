"""The patience of a training that goes on from a checkpoint."""

from pathlib import Path

import pytest

from colorize.training.callbacks import EarlyStopping
from tests.training.small import make_data, make_task, make_trainer


@pytest.mark.filterwarnings("ignore")
def test_the_patience_is_that_of_this_training(tmp_path: Path) -> None:
    for patience in (3, 7):
        stopping = EarlyStopping("val/loss", patience=patience)
        trainer = make_trainer(tmp_path, [stopping], max_epochs=patience)
        path = tmp_path / "best.ckpt" if patience == 7 else None
        trainer.fit(make_task(), datamodule=make_data(), ckpt_path=path, weights_only=True)
        assert stopping.patience == patience
        assert stopping.best_score.isfinite()
