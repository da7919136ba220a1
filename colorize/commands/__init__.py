"""What the commands `colorize` and `colorize-train`, and the scripts train.py and predict.py, do."""
