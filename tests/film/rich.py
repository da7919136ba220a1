"""Films that hold much beside their pictures: several sounds, subtitles, fonts, data, a cover picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av import Packet
from av.stream import Disposition
from PIL import Image

from tests.film.films import SIZE, SOUND_RATE, encode_sound, gray, gray_frame

FONT = bytes(range(256)) * 4
LINES = ("Stille!", "Der Vogel ruft.", "Nosferatu")
_TEXTS = {
    "srt": "{number}\n00:00:00,{start} --> 00:00:00,{end}\n{line}\n\n",
    "vtt": "00:00.{start} --> 00:00.{end}\n{line}\n\n",
    "ass": "Dialogue: 0,0:00:00.{start:.2},0:00:00.{end:.2},Default,,0,0,0,,{line}\n",
}
_HEADS = {
    "srt": "",
    "vtt": "WEBVTT\n\n",
    "ass": "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    "Style: Default,Arial,20\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
}


def write_rich_film(
    path: Path,
    *,
    codec: str = "libx264",
    sounds: Sequence[str] = ("aac",),
    subtitles: Sequence[str] = (),
    font: bool = False,
    cover: bool = False,
    data: str | None = None,
) -> Path:
    """A gray film of a second.

    Args:
        sounds: the encoders of its sound tracks.
        subtitles: "srt", "vtt", "ass" or "mov_text" each.
        data: the codec of a track of data.
    """
    with av.open(str(path), "w") as container, ExitStack() as files:
        track: Any = container.add_stream(codec, rate=24)  # type: ignore[call-overload]
        track.width, track.height, track.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
        container.metadata["title"] = "Nosferatu"
        voices = [container.add_stream(name, rate=SOUND_RATE, layout="mono") for name in sounds]  # type: ignore[call-overload]
        for voice, language in zip(voices, ("ger", "eng"), strict=False):
            voice.metadata["language"] = language
        texts = [_add_subtitles(container, kind, path, files) for kind in subtitles]
        measured = container.add_data_stream(data) if data else None
        if font:
            container.add_attachment("font.ttf", "application/x-truetype-font", FONT)
        picture: Any = None
        if cover and path.suffix == ".mkv":
            container.add_attachment("cover.jpg", "image/jpeg", _jpeg())
        elif cover:
            picture = container.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 32, 24, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        container.start_encoding()
        if picture is not None:
            container.mux(picture.encode(gray_frame(3, (24, 32), "yuvj420p")))
            container.mux(picture.encode(None))
        for number in range(24):
            frame = gray_frame(number)
            frame.pts, frame.time_base = number, Fraction(1, 24)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        for voice in voices:
            for packets in encode_sound(voice, SOUND_RATE):
                container.mux(packets)
        for text in texts:
            container.mux(list(text))
        if measured is not None:
            container.mux(list(_packets(measured, [b"\x06\x0e\x2b\x34" + bytes([number] * 16) for number in range(3)])))
    return path


def _jpeg() -> bytes:
    buffer = BytesIO()
    Image.fromarray(gray(3).astype("uint8")).save(buffer, "JPEG")
    return buffer.getvalue()


def _add_subtitles(container: Any, kind: str, path: Path, files: ExitStack) -> Iterator[Packet[Any]]:
    """A track of them, and its packets."""
    if kind == "mov_text":
        track = container.add_mux_stream(kind)
        return _packets(track, [len(line).to_bytes(2, "big") + line.encode() for line in LINES])
    spans = [{"number": n + 1, "start": f"{300 * n:03}", "end": f"{300 * n + 200:03}"} for n in range(len(LINES))]
    said = [_TEXTS[kind].format(line=line, **span) for line, span in zip(LINES, spans, strict=True)]
    file = path.with_suffix(f".{kind}")
    file.write_text(_HEADS[kind] + "".join(said))
    source = files.enter_context(av.open(str(file)))
    track = container.add_stream_from_template(source.streams[0], opaque=True)
    track.metadata["language"] = "fre"
    return _copied(source, track)


def _copied(source: Any, track: Any) -> Iterator[Packet[Any]]:
    for packet in source.demux():
        if packet.size:
            packet.stream = track
            yield packet


def _packets(track: Any, contents: Sequence[bytes]) -> Iterator[Packet[Any]]:
    for number, content in enumerate(contents):
        packet: Packet[Any] = Packet(content)
        packet.stream, packet.time_base = track, Fraction(1, 1000)
        packet.pts = packet.dts = 300 * number
        packet.duration, packet.is_keyframe = 200, True
        yield packet
