"""Pictures of a run: input, prediction and truth side by side."""

from pathlib import Path

import numpy as np
import pytorch_lightning as pl
from PIL import Image, ImageDraw
from pytorch_lightning.loggers import MLFlowLogger, TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from colorize.data.base import data_of
from colorize.errors import ColorizeError
from colorize.images import write_photograph
from colorize.tasks.base import Task
from colorize.training.callbacks.drawing import DrawingCallback


class SamplePictures(DrawingCallback):
    """Rows of input | prediction | truth for the same validation pictures each time, as a file and to the loggers.

    Args:
        path: the picture to write.
        count: how many rows.
        every_n_epochs: how often while training; it is drawn once more by the final test.

    Raises:
        ColorizeError: a count or every_n_epochs that is no whole number of at least 1.
    """

    def __init__(self, path: str, count: int = 8, every_n_epochs: int = 1) -> None:
        for key, value in (("count", count), ("every_n_epochs", every_n_epochs)):
            if type(value) is not int or value < 1:
                raise ColorizeError(f"callbacks.samples.{key} is {value}, but must be a whole number of at least 1.")
        self.path = Path(path)
        self.count = count
        self.every_n_epochs = every_n_epochs

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if (
            trainer.state.fn == "fit"
            and not trainer.sanity_checking
            and (trainer.current_epoch + 1) % self.every_n_epochs == 0
        ):
            with self.drawing(self.path):
                self._draw(trainer, module)

    @rank_zero_only
    def on_test_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        with self.drawing(self.path):
            self._draw(trainer, module)

    def _draw(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, Task)
        data = data_of(trainer)
        pictures = data.sample("val" if len(data.splits["val"]) else "test", self.count)
        batch = {name: value.to(module.device) for name, value in pictures.items()}
        panel = with_labels(sample_panel(module, batch), ("input", "prediction", "truth"))
        write_photograph(self.path, panel)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                step = trainer.global_step - 1 if trainer.state.fn == "fit" else None
                logger.log_image("samples", [panel], step, caption=["input | prediction | truth"])
            elif isinstance(logger, MLFlowLogger):
                logger.experiment.log_image(logger.run_id, panel, key="samples", step=trainer.global_step)
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("samples", panel, trainer.global_step, dataformats="HWC")


def to_uint8(rgb: Tensor) -> np.ndarray:
    """Pictures, float (B, 3, H, W) in [0, 1], as an array, uint8 (B, H, W, 3)."""
    return (rgb.float().clamp(0, 1) * 255).round().byte().cpu().permute(0, 2, 3, 1).numpy()


def sample_panel(task: Task, batch: dict[str, Tensor], scale_to: int = 128) -> np.ndarray:
    """A picture, uint8 (H, W, 3), with a row of input | prediction | truth for each picture of the batch.

    Small pictures are enlarged by whole pixels until they are at least `scale_to` high.
    """
    columns = np.stack([to_uint8(rgb) for rgb in task.pictures(batch)], axis=1)
    times = max(1, -(-scale_to // columns.shape[3]))
    columns = columns.repeat(times, axis=2).repeat(times, axis=3)
    gap = 4
    padded = np.pad(columns, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)), constant_values=255)
    rows, cols, height, width, channels = padded.shape
    panel: np.ndarray = padded.swapaxes(1, 2).reshape(rows * height, cols * width, channels)
    return panel[:-gap, :-gap]


def with_labels(panel: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    """The panel with a line above it that names its columns, which are equally wide."""
    height = 18
    page = Image.new("RGB", (panel.shape[1], panel.shape[0] + height), "white")
    page.paste(Image.fromarray(panel), (0, height))
    draw = ImageDraw.Draw(page)
    for column, label in enumerate(labels):
        draw.text((round((column + 0.5) * panel.shape[1] / len(labels)), height // 2), label, fill="black", anchor="mm")
    return np.asarray(page)
