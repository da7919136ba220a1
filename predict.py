"""Colorize photographs: python predict.py input=PHOTO_OR_FOLDER [output=FOLDER] [checkpoint=NAME_OR_FILE]."""

import sys

import hydra
import pytorch_lightning as pl
from omegaconf import DictConfig

from colorize.album.devices import AlbumModule, Outcome, Stop
from colorize.album.plan import Plan, plan, sweep
from colorize.album.settings import Settings, literal
from colorize.cli import one_sentence, run
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.registry import import_plugins
from colorize.training.checks import check_missing, check_strategy


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
@one_sentence
def main(cfg: DictConfig) -> None:
    import_plugins(cfg.plugins)
    check_missing(cfg)
    check_strategy(cfg)
    settings = Settings.of(cfg)
    with Stop() as stop:
        trainer = pl.Trainer(**cfg.trainer, logger=False, enable_checkpointing=False, enable_progress_bar=False)
        album = None
        if trainer.is_global_zero:  # it tells the others
            album = plan(str(cfg.input), cfg.output, settings.format, settings.side_by_side)
            sweep(album)
        colorizer = Colorizer.load(str(cfg.checkpoint), str(trainer.strategy.root_device), str(cfg.precision))
        module = AlbumModule(colorizer, album, settings, stop)
        trainer.predict(module, return_predictions=False)
    if album is not None:
        end(module.outcome, album, settings.overwrite)


def end(outcome: Outcome, album: Plan, overwrite: bool) -> None:
    """Say how it went, as text and as exit code: 1 when a photograph failed, 130 when the user stopped it."""
    for message in outcome.failed:
        print(f"failed: {message}", file=sys.stderr)
    print(f"{outcome.summary()}: {album.folder / 'report.csv' if album.folder else album.jobs[0].output}")
    if outcome.disk_full is not None:
        raise ColorizeError(outcome.disk_full)
    if outcome.stopped:
        mend = "overwrite=true begins with the first again" if overwrite else "the same command goes on with them"
        print(f"stopped: {outcome.left} of {outcome.total} photographs are left; {mend}.", file=sys.stderr)
        raise SystemExit(130)
    if outcome.failed:
        raise SystemExit(1)


if __name__ == "__main__":
    sys.argv[1:] = literal(sys.argv[1:])
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names need not be UTF-8
    run(main)
