"""The end of a training that no longer gets better."""

from typing import Any

import pytorch_lightning as pl

from colorize.errors import ColorizeError


class EarlyStopping(pl.callbacks.EarlyStopping):
    """Lightning's, which keeps the patience it is given in a training that goes on from a checkpoint, too.

    Raises:
        ColorizeError: a patience that is no whole number of at least 0: Lightning would find out once it is needed.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if type(self.patience) is not int or self.patience < 0:
            raise ColorizeError(
                f"callbacks.early_stopping.patience is {self.patience}, but must be a whole number of at least 0: "
                "callbacks.early_stopping=null never stops early."
            )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})
