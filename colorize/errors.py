"""What a person did wrong, in one sentence they can act on."""


class ColorizeError(Exception):
    """A mistake in the configuration, the data or a file: the message says what, where, and how to mend it."""


class ImageError(ColorizeError):
    """One file that cannot be read or written as a photograph."""
