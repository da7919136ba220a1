"""Films: moving pictures, read and written by FFmpeg, their luma their own, in steady colours."""

from colorize.errors import MissingExtraError

try:
    import av  # noqa: F401
except ImportError as error:
    raise MissingExtraError("Films are read and written by PyAV: pip install 'colorize[film]'.") from error
