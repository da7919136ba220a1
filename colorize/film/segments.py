"""The finished parts of a film that is being made: files in a hidden folder beside it, each whole or not there."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from av import Packet
from filelock import FileLock, Timeout

from colorize.errors import ColorizeError
from colorize.files import remove_temporaries, whole_file, write_whole

COLUMNS = 3  # time stamp, whether it is a key frame, bytes
_TRAILER_BYTES = 8
_DAMAGED = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile)  # what a file raises


@dataclass
class SegmentWriter:
    """A segment that is being written: packets as they come, and what is known of them at the end."""

    file: BinaryIO
    rows: list[tuple[int, bool, int]]
    carry: dict[str, npt.NDArray[np.generic]]
    frames: int = 0

    def add(self, packets: Iterable[Packet[Any]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            self.file.write(packet)
            self.rows.append((packet.pts, packet.is_keyframe, packet.size))

    def end(self) -> None:
        buffer = io.BytesIO()
        table = np.array(self.rows, np.int64).reshape(-1, COLUMNS)
        carried = {f"carry.{name}": values for name, values in self.carry.items()}
        np.savez(buffer, table=table, frames=np.array(self.frames), **carried)  # type: ignore[arg-type]
        self.file.write(buffer.getvalue())
        self.file.write(len(buffer.getvalue()).to_bytes(_TRAILER_BYTES, "little"))


@dataclass(frozen=True)
class Segment:
    """A finished segment.

    Attributes:
        path: of its file.
        table: int64 (packets, 3): time stamp, whether it is a key frame, bytes.
        frames: how many frames of the film it holds.
        carry: what the colours of the next segment need of it.
    """

    path: Path
    table: npt.NDArray[np.int64]
    frames: int
    carry: dict[str, npt.NDArray[np.generic]]

    @classmethod
    def read(cls, path: Path) -> Segment:
        """
        Raises:
            one of `_DAMAGED`: it is no segment.
        """
        with path.open("rb") as file:
            file.seek(-_TRAILER_BYTES, io.SEEK_END)
            size = int.from_bytes(file.read(), "little")
            file.seek(-_TRAILER_BYTES - size, io.SEEK_END)
            with np.load(io.BytesIO(file.read(size)), allow_pickle=False) as arrays:
                carry = {name.removeprefix("carry."): arrays[name] for name in arrays if name.startswith("carry.")}
                return cls(path, arrays["table"], int(arrays["frames"]), carry)

    def packets(self) -> Iterator[bytes]:
        """The bytes of each packet, in the order of the table."""
        with self.path.open("rb") as file:
            for size in self.table[:, 2].tolist():
                yield file.read(size)


class Segments:
    """The segments of one film, which go on where an earlier start was stopped; once `is_joined`, they are removed.

    Args:
        output: the film that is being made.
        identity: of what it is made, and how: segments of another are begun anew.
        kept: what the first start decides and later ones keep to.

    Raises:
        ColorizeError: another process is making this film.
    """

    def __init__(self, output: Path, identity: dict[str, Any], kept: dict[str, Any]) -> None:
        self.folder = output.with_name(f".{output.name}.segments")
        self.finished: list[Segment] = []
        self.is_anew = False
        self.is_joined = False
        self._output = output
        self._identity = identity
        self.kept = kept

    def __enter__(self) -> Segments:
        self.folder.mkdir(parents=True, exist_ok=True)  # and that of the film, which may be the first in it
        self._lock = FileLock(self.folder / "lock", timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise ColorizeError(f"{self._output} is being made by another process: wait until it has ended.") from None
        remove_temporaries(self.folder)
        about = self.folder / "film.json"
        earlier = _read_json(about)
        if isinstance(earlier, dict) and earlier.get("identity") == self._identity:
            self.kept = earlier["kept"]
            self._find()
        else:
            for path in self.folder.glob("*.segment"):
                path.unlink()
                self.is_anew = True
            try:
                write_whole(about, json.dumps({"identity": self._identity, "kept": self.kept}, indent=1).encode())
            except BaseException:
                self.__exit__()  # nothing is finished: it leaves no folder
                raise
        return self

    def __exit__(self, *_: object) -> None:
        is_needed = self.finished and not self.is_joined
        for path in () if is_needed else self.folder.iterdir():
            path.unlink()
        self._lock.release()
        if not is_needed:
            with suppress(OSError):  # NFS kept the open lock until now; or another process has begun this film
                self.folder.rmdir()

    @property
    def frames(self) -> int:
        """How many frames are finished."""
        return sum(segment.frames for segment in self.finished)

    @property
    def carry(self) -> dict[str, npt.NDArray[np.generic]] | None:
        return self.finished[-1].carry if self.finished else None

    @contextmanager
    def begin(self) -> Iterator[SegmentWriter]:
        """The next segment; it is there once all went well within."""
        path = self._path(len(self.finished))
        with whole_file(path) as file:
            writer = SegmentWriter(file, [], {})
            yield writer
            writer.end()
        self.finished.append(Segment.read(path))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.segment"

    def _find(self) -> None:
        while True:
            try:
                self.finished.append(Segment.read(self._path(len(self.finished))))
            except _DAMAGED:  # the first that is not there, or not whole
                return


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
