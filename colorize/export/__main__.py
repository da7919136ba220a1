"""python -m colorize.export FILE.onnx [checkpoint=WEIGHTS] [precision=float16] [quantize=int8 calibration=FOLDER]"""

from colorize.interrupt import stoppable  # first: Ctrl-C ends the imports below without a traceback

# isort: split
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from colorize.cli.sentences import sentence
from colorize.errors import ColorizeError
from colorize.files import expand_home
from colorize.registry import explain_unknown

KEYS = ("checkpoint", "precision", "quantize", "calibration", "license")
USAGE = f"""usage: {__doc__}

  checkpoint   weights that ship (photographs, the default), a .ckpt or .safetensors file, hf://USER/NAME
  precision    float32 (the default) or float16: half the size
  quantize     int8: a quarter of the size; needs calibration
  calibration  a folder of photographs like those to be coloured
  license      of the weights, for the file's metadata"""


def main(arguments: Sequence[str] | None = None) -> None:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or {"-h", "--help"} & set(words):
        print(USAGE)
        raise SystemExit(0 if words else 2)
    try:
        path, options = _read(words)
        from colorize.export.write import export  # brings torch

        calibration = options.pop("calibration", None)
        quantize = options.pop("quantize", None)
        if quantize not in (None, "int8"):
            raise ColorizeError(f"quantize={quantize} is not possible: give int8, or leave it out.")
        if (quantize is None) != (calibration is None):
            raise ColorizeError("quantize=int8 and calibration=FOLDER go together: give both or none.")
        options["source"] = options.pop("checkpoint", "photographs")
        folder = None if calibration is None else expand_home(calibration)
        difference = export(path, calibration=folder, **options)
    except ColorizeError as error:
        sys.exit(f"error: {sentence(error)}")
    word = "mean" if quantize else "largest"
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB: {word} difference from torch {difference:.1e} of 110")


def _read(words: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """The file and the options of a command line.

    Raises:
        ColorizeError: no file or several, or an unknown key.
    """
    options = dict(word.split("=", 1) for word in words if re.match(r"\w+=", word))
    files = [word for word in words if not re.match(r"\w+=", word)]
    for key in options:
        if key not in KEYS:
            raise ColorizeError(explain_unknown("option", key, list(KEYS)))
    if len(files) != 1:
        raise ColorizeError(f"One file is to be written, but {len(files)} are named: python -m colorize.export x.onnx.")
    return expand_home(files[0]), options


if __name__ == "__main__":
    with stoppable():
        main()
