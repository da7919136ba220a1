"""The tests run in two processes at a time, each of which computes on one thread; no property test is timed."""

import os
import signal

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where a shell's script runs them behind &
