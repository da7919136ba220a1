"""A callback with a fault that no code of ours expects, for tests of what becomes of one."""

import pytorch_lightning as pl

FIRST_OF_TWO = ("+callbacks.fault._target_=tests.cli.fault.Fault", "+callbacks.fault.there=true,false")


class Fault(pl.Callback):
    def __init__(self, there: bool) -> None:
        self.there = there

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.there:
            raise ArithmeticError("a fault in one run")
