"""What a person did wrong, in one sentence they can act on."""


class ColorizeError(Exception):
    """A mistake in the configuration, the data or a file: the message says what, where, and how to fix it."""


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its name when it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def on_one_line(text: str) -> str:
    """With escapes for what would break the line or steer the terminal: names of files may hold anything."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class MissingExtraError(ColorizeError):
    """A package that an optional feature needs is not installed: the message names the extra that brings it."""


class ImageError(ColorizeError):
    """One file that cannot be read or written as a photograph."""


class DiskFullError(ColorizeError):
    """There is no room, or no quota, left for what must be written: no further file will do better."""
