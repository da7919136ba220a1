"""The tests run in two processes at a time: each of them, and what it starts, computes on one thread."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
