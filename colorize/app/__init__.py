"""The web page: colorize-app [RUN_OR_SWEEP...]"""
