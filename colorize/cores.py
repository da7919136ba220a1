"""The cores of this machine."""

import os


def usable_cores() -> int:
    """How many cores this process may use: those of its affinity, where the system has one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
