"""Many runs, one comparison: python -m colorize.compare RUN_OR_SWEEP..."""
