"""torch.compile of the network that is trained."""

import os
import shlex
import shutil
import sys

from colorize.errors import ColorizeError
from colorize.tasks.base import Task


def is_of_the_compiler(error: Exception) -> bool:
    """Whether torch.compile could not compile the network."""
    module = sys.modules.get("torch._inductor.exc")  # importing it takes seconds
    return module is not None and isinstance(error, module.InductorError)


def compile_network(task: Task) -> None:
    """Have torch.compile make the network's kernels at its first step, in place: checkpoints keep their names.

    Raises:
        ColorizeError: there is no C++ compiler, which it needs.
    """
    name = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")  # torch looks for no other
    if shutil.which(shlex.split(name)[0]) is None:
        raise ColorizeError(
            f"compile=true needs a C++ compiler, and there is no {name}: install g++, name yours in the "
            "environment's CXX, or use compile=false."
        )
    task.network.compile()
