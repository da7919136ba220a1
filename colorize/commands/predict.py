"""Photographs and films in, pictures and films out, as conf/predict.yaml says."""

import sys

import hydra
from omegaconf import DictConfig, OmegaConf

from colorize import program
from colorize.album.devices import open_ranks
from colorize.album.outcome import Outcome
from colorize.album.plan import Plan, make_plan, remove_leftovers
from colorize.album.settings import Settings
from colorize.album.share import color_album
from colorize.album.stop import Stop
from colorize.cli.config import CONFIG_DIR, check_missing
from colorize.cli.launch import explain_mistakes
from colorize.errors import ColorizeError, on_one_line
from colorize.inference.colorizer import Colorizer
from colorize.registry import import_plugins


@hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="predict")
@explain_mistakes
def main(cfg: DictConfig) -> None:
    import_plugins(cfg.plugins)
    if OmegaConf.is_missing(cfg, "input"):
        command = program.command()
        raise ColorizeError(f"No photograph is given: {command} PHOTO_OR_FOLDER; {command} --help lists the settings.")
    check_missing(cfg)
    settings = Settings.from_config(cfg)
    with Stop() as stop, open_ranks(cfg.trainer, stop) as ranks:
        plan = films = None
        if ranks.rank == 0:  # which sends it to the others
            plan = make_plan(
                str(cfg.input),
                cfg.output,
                settings.format,
                settings.side_by_side,
                settings.samples,
                settings.uncertainty,
            )
            remove_leftovers(plan)
            if plan.left_out:
                names = on_one_line(", ".join(map(str, plan.left_out)))
                print(f"left out, as pictures of an earlier start (see report.csv there): {names}", file=sys.stderr)
            if plan.films:
                from colorize.film.album import FilmAlbum  # which needs PyAV; photographs do without

                films = FilmAlbum(plan, cfg, settings.threads())
        colorizer = Colorizer.load(str(cfg.checkpoint), ranks.device, str(cfg.precision))
        outcome = color_album(plan, colorizer, settings, ranks, stop)
        if films is not None:
            films.color(colorizer, outcome, stop)
    if plan is not None:
        end(outcome, plan, settings.overwrite)


def end(outcome: Outcome, plan: Plan, overwrite: bool) -> None:
    """Print how it went, and exit with code 1 when a photograph or folder failed, 130 when the user stopped it."""
    for message in [*plan.unlisted, *outcome.failed]:
        print(f"failed: {on_one_line(message)}", file=sys.stderr)
    print(f"{outcome.summary()}: {plan.folder / 'report.csv' if plan.folder else [*plan.jobs, *plan.films][0].output}")
    if outcome.counts["kept"] and not outcome.counts["done"] and not outcome.stopped:
        print("What exists is kept: overwrite=true replaces it.", file=sys.stderr)
    if outcome.disk_full is not None:
        raise ColorizeError(outcome.disk_full)
    if outcome.stopped:
        remedy = "overwrite=true begins with the first again" if overwrite else "the same command goes on with them"
        print(f"stopped: {outcome.left} of {outcome.total} {plan.words} are left; {remedy}.", file=sys.stderr)
        raise SystemExit(130)
    if outcome.failed or plan.unlisted:
        raise SystemExit(1)
