"""RGB profiles made by hand, and what littleCMS should make of them in closed form."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50, D65 = (0.3457, 0.3585), (0.3127, 0.3290)


def _xyz(x: float, y: float) -> Floats:
    return np.array([x / y, 1, (1 - x - y) / y])


def _to_d50(primaries: list[tuple[float, float]], white: tuple[float, float]) -> Floats:
    """Linear RGB to XYZ of D50 (3, 3)."""
    columns = np.array([_xyz(*xy) for xy in primaries]).T
    native = columns * np.linalg.solve(columns, _xyz(*white))
    cones = BRADFORD @ _xyz(*D50) / (BRADFORD @ _xyz(*white))
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ native)


SRGB_TO_D50 = _to_d50([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)], D65)


def _srgb_curve(encoded: Floats) -> Floats:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def parametric(kind: int, *numbers: float) -> bytes:
    return b"para" + struct.pack(f">IHH{len(numbers)}i", 0, kind, 0, *(round(number * 65536) for number in numbers))


@dataclass(frozen=True)
class Space:
    """An RGB space: its matrix, its curve, and that curve as the content of an ICC tag."""

    to_d50: Floats
    curve: Callable[[Floats], Floats]
    tag: bytes

    def to_srgb(self, encoded: Floats) -> Floats:
        """RGB (..., 3) in [0, 1] as sRGB, clipped: the closed form."""
        linear = self.curve(encoded) @ np.linalg.solve(SRGB_TO_D50, self.to_d50).T
        linear = linear.clip(0, 1)
        return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)

    def profile(self) -> bytes:
        """Three curves and a matrix."""
        return _profile(dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), self.tag) | self._colorants())

    def profile_of_tables(self) -> bytes:
        """The same space as curves of 4096 values and a table of 2 x 2 x 2 corners (lut16Type, ICC.1:2010, 10.8)."""
        values = np.round(self.curve(np.linspace(0, 1, 4096)) * 65535).astype(">u2").tobytes()
        corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(8, 3)
        table = np.round((corners @ self.to_d50.T).clip(0) * 32768).astype(">u2").tobytes()
        identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
        ends = struct.pack(">2H", 0, 65535)
        lut = b"mft2" + bytes(4) + bytes([3, 3, 2, 0]) + identity + struct.pack(">2H", 4096, 2)
        return _profile({b"A2B0": lut + values * 3 + table + ends * 3})

    def _colorants(self) -> dict[bytes, bytes]:
        return {
            name: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(number * 65536) for number in column))
            for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), self.to_d50.T, strict=True)
        }


def _profile(tags: dict[bytes, bytes]) -> bytes:
    d50 = struct.pack(">iii", 63190, 65536, 54061)
    tags = {b"wtpt": b"XYZ " + bytes(4) + d50} | tags
    offset, entries, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        entries += struct.pack(">4sII", name, offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", offset + len(body), b"", 0x04300000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    return (header + bytes(28) + d50).ljust(128, b"\0") + entries + body


SPACES = {
    "Adobe RGB": Space(
        _to_d50([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], D65),
        lambda encoded: encoded ** (563 / 256),
        b"curv" + struct.pack(">IIH", 0, 1, 563),
    ),
    "ProPhoto RGB": Space(
        _to_d50([(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)], D50),
        lambda encoded: np.where(encoded < 1 / 32, encoded / 16, encoded**1.8),
        parametric(3, 1.8, 1, 0, 1 / 16, 1 / 32),
    ),
    "Display P3": Space(
        _to_d50([(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], D65),
        _srgb_curve,
        parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    ),
}
SRGB = Space(SRGB_TO_D50, _srgb_curve, SPACES["Display P3"].tag)
