"""Slurm's sbatch, srun and sacct, as far as submitit uses them for one job on a cluster of one node.

The first argument says which. sbatch keeps what the job asks for in the JSON file $SLURM_FLAGS.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path


def sbatch(script: Path) -> None:
    flags = dict(re.findall(r"#SBATCH --([\w-]+)=(.*)", script.read_text()))
    Path(os.environ["SLURM_FLAGS"]).write_text(json.dumps(flags))
    job = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NAME": flags["job-name"],
        "SLURM_JOB_NODELIST": "localhost",
        "SLURM_NODELIST": "localhost",
        "SLURM_NNODES": flags["nodes"],
        "SLURM_NTASKS_PER_NODE": flags["ntasks-per-node"],
    }
    quiet = subprocess.DEVNULL
    subprocess.Popen(["bash", str(script)], env=os.environ | job, stdout=quiet, stderr=quiet)
    print(f"Submitted batch job {job['SLURM_JOB_ID']}")


def srun(words: list[str]) -> None:
    streams = [words[words.index(flag) + 1] for flag in ("--output", "--error")]
    command = words[words.index("--error") + 2 :]
    tasks = os.environ["SLURM_NTASKS_PER_NODE"]
    started = []
    for rank in range(int(tasks)):
        task = {"SLURM_NTASKS": tasks, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_NODEID": "0"}
        names = [name.replace("%j", os.environ["SLURM_JOB_ID"]).replace("%t", str(rank)) for name in streams]
        out, err = (os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in names)
        started.append(subprocess.Popen(command, env=os.environ | task, stdout=out, stderr=err))
    sys.exit(max(process.wait() for process in started))


if __name__ == "__main__":
    program, *arguments = sys.argv[1:]
    if program == "sbatch":
        sbatch(Path(arguments[-1]))
    elif program == "srun":
        srun(arguments)
    else:
        print("JobID|State|NodeList")
