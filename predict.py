"""Colorize photographs: python predict.py checkpoint=RUN/checkpoints/best.ckpt input=PHOTO_OR_FOLDER output=FOLDER."""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig
from tqdm import tqdm

from colorize.cli import one_sentence, run
from colorize.colorizer import Colorizer
from colorize.config import check_missing
from colorize.folders import plan, process, write_report


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
@one_sentence
def main(cfg: DictConfig) -> None:
    check_missing(cfg)
    output = Path(cfg.output).expanduser()
    jobs = plan(Path(cfg.input).expanduser(), output)
    colorizer = Colorizer.load(Path(cfg.checkpoint).expanduser(), cfg.device)
    results = write_report(
        output / "report.csv", tqdm(process(colorizer, jobs, cfg.overwrite), total=len(jobs), unit="img")
    )

    failed = [result for result in results if result.status == "failed"]
    for result in failed:
        print(f"failed: {result.message}", file=sys.stderr)
    kept = sum(result.status == "kept" for result in results)
    done = len(results) - len(failed) - kept
    print(f"{done} written, {kept} kept, {len(failed)} failed: {output}/report.csv")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    run(main)
