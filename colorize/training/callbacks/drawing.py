"""What the callbacks that draw have in common."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import SubprocessError

from pytorch_lightning.callbacks import Callback

from colorize.errors import ColorizeError, first_line

log = logging.getLogger(__name__)


class DrawingCallback(Callback):
    """A callback that draws. A failure to draw is a warning: it neither ends a run nor hides the error that does."""

    _failed = False

    @contextmanager
    def drawing(self, path: Path) -> Iterator[None]:
        """Turn an error of the block that draws `path` into a warning, once for several failures in a row.

        An error that is neither the disk's nor a mistake keeps its traceback. Ctrl-C still stops the run.
        """
        try:
            yield
        except Exception as error:
            if not self._failed:
                ours = not isinstance(error, (OSError, ColorizeError, SubprocessError))
                reason = first_line(error.__cause__ or error if ours else error)  # torchview only points at its cause
                log.warning("%s is not drawn: %s", path.name, reason, exc_info=ours)
            self._failed = True
        else:
            self._failed = False
