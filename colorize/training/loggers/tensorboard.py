"""TensorBoard."""

from pytorch_lightning.loggers import Logger, TensorBoardLogger

from colorize.errors import ColorizeError


def tensorboard_logger(save_dir: str) -> Logger:
    """TensorBoard event files in `save_dir`.

    Raises:
        ColorizeError: the tensorboard package is missing.
    """
    try:
        return TensorBoardLogger(save_dir, name="", version="tensorboard")
    except ModuleNotFoundError as error:
        raise ColorizeError(
            "logger=tensorboard needs the tensorboard package: pip install 'colorize[tensorboard]'."
        ) from error
