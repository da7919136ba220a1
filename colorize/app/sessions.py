"""The temporary folder of the page, and which files in it belong to which open page."""

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_IDLE = 12 * 3600
"""Seconds after which a page that nobody used is taken for closed, if its browser does not say so."""

EMPTY_SECONDS = 60
"""After which an empty file is not one that is about to be written."""


@dataclass
class Session:
    """One open page.

    Attributes:
        folders: those with the newest results, one for each part of the page.
        uploads: files that were sent by it.
        stops: set when its visitor wants the current work of a part of the page to end, or has left.
        closed: set when the page was closed.
        used: when it last asked for anything, in seconds of time.monotonic.
    """

    folders: dict[str, Path] = field(default_factory=dict)
    uploads: set[Path] = field(default_factory=set)
    stops: dict[str, threading.Event] = field(default_factory=dict)
    closed: bool = False
    used: float = 0.0


class Sessions:
    """Open pages and their files below `root`, each of which is removed when its page is closed.

    Args:
        root: an empty folder, of which nobody else writes to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Session:
        """The open page of that name, which its browser chose; a new one if there is none."""
        now = time.monotonic()
        with self._lock:
            session = self._open.setdefault(name, Session())
            session.used = now
            idle = [other for other, opened in self._open.items() if opened.used < now - LONGEST_IDLE]
        for other in idle:
            self.close(other)
        return session

    def add_uploads(self, name: str, uploads: Iterable[Path]) -> None:
        """Remember files that were sent by a page, which are removed when it is closed."""
        session = self[name]
        with self._lock:
            session.uploads.update(uploads)

    @contextmanager
    def folder(self, name: str, part: str) -> Iterator[tuple[Path, threading.Event]]:
        """A new folder for results of one part of a page, and what is set when that work is to end.

        The folder before is removed when all went well, else this.
        """
        session = self[name]
        stop = threading.Event()
        with self._lock:
            session.stops[part] = stop
            if session.closed:  # since a moment ago
                stop.set()
        new = self.root / secrets.token_hex(16)
        new.mkdir()
        try:
            yield new, stop
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        with self._lock:
            old = new if session.closed else session.folders.get(part)
            session.folders[part] = new
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)

    def stop(self, name: str, part: str) -> None:
        """End the work of one part of a page, if there is any."""
        stop = self[name].stops.get(part)
        if stop is not None:
            stop.set()

    def close(self, name: str) -> None:
        """End the work of a page that was closed, and remove its files."""
        with self._lock:
            session = self._open.pop(name, None)
            if session is None:
                return
            session.closed = True
            for stop in session.stops.values():
                stop.set()
            others = {upload for other in self._open.values() for upload in other.uploads}
        for folder in session.folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        for upload in session.uploads - others:  # two pages that send the same file share it
            upload.unlink(missing_ok=True)
        self._remove_empty()

    def _remove_empty(self) -> None:
        """Remove the empty files that Gradio makes in each request with a file, and forgets."""
        for path in self.root.glob("tmp*"):
            with suppress(FileNotFoundError):
                status = path.lstat()
                if status.st_size == 0 and status.st_mtime < time.time() - EMPTY_SECONDS:  # none that is being sent
                    path.unlink()


def take(upload: Path, folder: Path) -> Path:
    """A file that was sent, by its name in a folder of its own: no other there has the same, but for its suffix.

    A second name of the same file, or a copy where the disk has none of those.
    """
    taken = {path.stem.casefold() for path in folder.iterdir()}
    stem, number = upload.stem, 1
    while stem.casefold() in taken:
        number += 1
        stem = f"{upload.stem} ({number})"
    path = folder / f"{stem}{upload.suffix}"
    try:
        os.link(upload, path)
    except OSError:
        shutil.copyfile(upload, path)
    return path
