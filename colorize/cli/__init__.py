"""The command line: Hydra's words, and mistakes in one sentence."""
