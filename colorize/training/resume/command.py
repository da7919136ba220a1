"""The command that goes on with a training that was stopped."""

import shlex
import sys

from hydra.core.hydra_config import HydraConfig

from colorize import program
from colorize.cli.config import in_multirun
from colorize.cli.quoting import quote_if_needed


def command_to_go_on(run_dir: str) -> str:
    """The command line of this process, with what makes it go on in its folder."""
    key, folder = ("hydra.sweep.dir", HydraConfig.get().sweep.dir) if in_multirun() else ("hydra.run.dir", run_dir)
    left_out = ("resume=", "ckpt_path=", f"{key}=", "hydra.job.name=", "hydra.output_subdir=")
    words = [word for word in sys.argv[1:] if not word.startswith(left_out)]
    is_study = in_multirun() and HydraConfig.get().runtime.choices.get("hydra/sweeper") == "optuna"
    if not is_study:  # each start of a study draws other trials
        words += [f"{key}={quote_if_needed(folder)}", "resume=true"]
    return f"{program.command()} {shlex.join(words)}"
