"""Colorize photographs and films: python predict.py input=FILE_OR_FOLDER [output=FOLDER] [checkpoint=NAME_OR_FILE]."""

from colorize.commands.start import predict

if __name__ == "__main__":
    predict()
