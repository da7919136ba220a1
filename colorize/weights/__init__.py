"""Trained networks as files that hold data and no code: checkpoints, exported files, and the weights that ship."""
