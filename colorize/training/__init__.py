"""One run: its configuration, checks, callbacks, loggers and final test."""
