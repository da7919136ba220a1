"""The pages of a TIFF: finding them, and reading one of them as a file of its own.

Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF's directory as in libtiff's bigtiffdesign.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

_MOST_PAGES = 1000
_NEW_SUBFILE_TYPE, _REDUCED_OR_MASK = 254, 0b101
_STRIPS, _TILES = (273, 279), (324, 325)  # offsets, byte counts
_OLD_JPEG = 513
_SUB_IFDS, _EXIF, _GPS, _INTEROP = 330, 34665, 34853, 40965
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_BROKEN = (struct.error, OSError, OverflowError, ValueError)  # also for a place beyond any file


class Page(NamedTuple):
    """A directory of a TIFF: its place in the chain, counting from 0, and in the file; how many follow one another."""

    frame: int
    offset: int
    frames: int


@dataclass(frozen=True)
class _Form:
    """How a file writes its directories."""

    order: str
    big: bool

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry(self) -> str:
        return self.order + ("HHQ8s" if self.big else "HHI4s")

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    value: bytes


def is_tiff(head: bytes) -> bool:
    """By the first four bytes."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def find_pages(file: BinaryIO) -> list[Page]:
    """The photographs of a TIFF; if all directories are reduced copies and masks, the first of those.

    A broken chain ends where it breaks, and every chain after 1000 directories.
    """
    directories = list(_directories(file))
    kept = [(frame, offset) for frame, (offset, kind) in enumerate(directories) if not kind & _REDUCED_OR_MASK]
    kept = kept or [(0, offset) for offset, _ in directories[:1]]
    return [Page(frame, offset, len(directories)) for frame, offset in kept]


def choose_page(pages: list[Page], number: int | None) -> Page:
    """The page of that number, from 0; None is the only one.

    Raises:
        ValueError: there is no such page, or there are several and none was named.
    """
    if not pages:
        raise ValueError("its first directory is broken")
    counted = f"{_MOST_PAGES} or more" if pages[0].frames == _MOST_PAGES else str(len(pages))
    if number is None and len(pages) > 1:
        raise ValueError(f"it has {counted} pages, which predict.py colours; here give a file of one page")
    if len(pages) > 1 and pages[0].frames == _MOST_PAGES:
        raise ValueError(f"it has {counted} pages; split it into files of fewer pages, as tiffsplit does")
    if number is not None and not 0 <= number < len(pages):
        raise ValueError(f"it has {counted} pages, but page {number + 1} was asked for")
    return pages[number or 0]


def read_page(file: BinaryIO, page: Page) -> bytes:
    """The file, if this page is all there is in it; else a TIFF of this page with its sound EXIF and GPS data.

    Raises:
        ValueError, struct.error: its directory is broken, or its pixels are stored in a way that cannot be copied.
    """
    if page.frames == 1:
        file.seek(0)
        return file.read()
    form = _form(file)
    entries = {entry.tag: entry for entry in _entries(file, page.offset, form) if entry.tag != _SUB_IFDS}
    offsets_tag, counts_tag = _TILES if _TILES[0] in entries else _STRIPS
    if _OLD_JPEG in entries or offsets_tag not in entries or counts_tag not in entries:
        raise ValueError("this page does not say where its pixels are; save the file again")
    pieces = _pieces(file, _integers(entries[offsets_tag], form), _integers(entries[counts_tag], form))
    start = 16 if form.big else 8
    offsets = list(accumulate((len(piece) for piece in pieces[:-1]), initial=start))
    kind = 16 if form.big else 4
    packed = struct.pack(f"{form.order}{len(offsets)}{_INTEGERS[kind]}", *offsets)
    entries[offsets_tag] = _Entry(offsets_tag, kind, len(offsets), packed)
    body = b"".join(pieces)
    body += bytes(len(body) % 2)
    for tag in (_EXIF, _GPS):
        pointer = entries.pop(tag, None)
        inner = _inner_entries(file, pointer, form) if pointer is not None else []
        if inner:
            at = start + len(body)
            body += _directory(inner, at, form)
            entries[tag] = _Entry(tag, kind, 1, struct.pack(form.offset, at))
    file.seek(0)
    header = file.read(start - struct.calcsize(form.offset)) + struct.pack(form.offset, start + len(body))
    return header + body + _directory(list(entries.values()), start + len(body), form)


def read_tag(file: BinaryIO, tag: int) -> bytes | None:
    """The bytes of a tag's value in the first directory, whatever type they are called; None without that tag.

    Raises:
        ValueError, struct.error: the directory is broken.
    """
    form = _form(file)
    (offset,) = _unpack(file, 8 if form.big else 4, form.offset)
    return next((entry.value for entry in _entries(file, offset, form) if entry.tag == tag), None)


def _form(file: BinaryIO) -> _Form:
    file.seek(0)
    head = file.read(4)
    return _Form("<" if head[:2] == b"II" else ">", b"+" in head)


def _directories(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(offset, NewSubfileType) of each directory, at most `_MOST_PAGES`; a broken chain ends where it breaks."""
    form = _form(file)
    seen: set[int] = set()
    try:
        (offset,) = _unpack(file, 8 if form.big else 4, form.offset)
        while offset and offset not in seen and len(seen) < _MOST_PAGES:
            seen.add(offset)
            (count,) = _unpack(file, offset, form.count)
            first = offset + struct.calcsize(form.count)
            size = struct.calcsize(form.entry)
            (following,) = _unpack(file, first + count * size, form.offset)
            subfile_type = 0
            for number in range(min(count, 4)):  # sorted, and 254 is the least
                tag, kind, _, value = _unpack(file, first + number * size, form.entry)
                if tag == _NEW_SUBFILE_TYPE:
                    (subfile_type,) = struct.unpack_from(form.order + ("H" if kind == 3 else "I"), value)
            yield offset, subfile_type
            offset = following
    except _BROKEN:
        return


def _unpack(file: BinaryIO, place: int, form: str) -> tuple[Any, ...]:
    file.seek(place)
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _entries(file: BinaryIO, offset: int, form: _Form) -> list[_Entry]:
    """A directory with its values, which together are at most as long as the file."""
    (count,) = _unpack(file, offset, form.count)
    table = file.read(min(count, 65535) * struct.calcsize(form.entry))
    left = file.seek(0, io.SEEK_END)
    entries = []
    for tag, kind, number, value in struct.iter_unpack(form.entry, table):
        length = number * _SIZES.get(kind, 0)
        left -= length
        if left < 0:
            raise ValueError("its directory is broken")
        if length > len(value):
            file.seek(*struct.unpack(form.offset, value))
            value = file.read(length)
        if 0 < length <= len(value):
            entries.append(_Entry(tag, kind, number, value[:length]))
    return entries


def _inner_entries(file: BinaryIO, pointer: _Entry, form: _Form) -> list[_Entry]:
    """The EXIF or GPS directory that an entry points to; none where that is broken."""
    try:
        (offset,) = _integers(pointer, form)
        return [entry for entry in _entries(file, offset, form) if entry.tag != _INTEROP]
    except _BROKEN:
        return []


def _integers(entry: _Entry, form: _Form) -> tuple[int, ...]:
    if entry.kind not in _INTEGERS:
        raise ValueError("its directory is broken")
    return struct.unpack(f"{form.order}{entry.count}{_INTEGERS[entry.kind]}", entry.value)


def _pieces(file: BinaryIO, offsets: tuple[int, ...], counts: tuple[int, ...]) -> list[bytes]:
    """The strips or tiles."""
    if len(offsets) != len(counts) or sum(counts) > file.seek(0, io.SEEK_END):
        raise ValueError("the list of its strips is broken")
    pieces = []
    for offset, count in zip(offsets, counts, strict=True):
        file.seek(offset)
        pieces.append(file.read(count))
    return pieces


def _directory(entries: list[_Entry], at: int, form: _Form) -> bytes:
    """A directory, the last of its chain, and behind it the values that do not fit into it."""
    inline = struct.calcsize(form.offset)
    behind_at = at + struct.calcsize(form.count) + len(entries) * struct.calcsize(form.entry) + inline
    directory, behind = struct.pack(form.count, len(entries)), b""
    for entry in sorted(entries, key=lambda entry: entry.tag):
        field = entry.value
        if len(field) > inline:
            field = struct.pack(form.offset, behind_at + len(behind))
            behind += entry.value + bytes(len(entry.value) % 2)
        directory += struct.pack(form.entry, entry.tag, entry.kind, entry.count, field)
    return directory + struct.pack(form.offset, 0) + behind
