"""Colours COUNT mutated films and prints what became of them as JSON: python -m tests.film.fuzz COUNT SEED FOLDER

Whatever make_film raises besides ColorizeError ends the process with its traceback, and so does a film that takes more
than SECONDS; the last film stays in FOLDER.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import av

from colorize.errors import ColorizeError
from colorize.film.make import make_film
from colorize.film.settings import FilmSettings
from tests.film.films import Painter, write_film
from tests.mutated import limit_process, read_mutated

MEMORY = 16 * 2**30
SECONDS = 100
CORPUS = (
    (".mp4", "libx264", "yuv420p", "aac"),
    (".mov", "mpeg4", "yuv420p", "pcm_s16le"),
    (".mkv", "ffv1", "yuv420p10le", "flac"),
    (".mkv", "libx264", "yuv420p", "aac"),
    (".avi", "mjpeg", "yuvj420p", "pcm_s16le"),
    (".avi", "mpeg4", "yuv420p", None),
    (".webm", "libvpx-vp9", "yuv420p", None),
    (".ts", "mpeg2video", "yuv420p", None),
    (".flv", "libx264", "yuv420p", None),
    (".mkv", "rawvideo", "gray", None),
)


def corpus(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Small good films of many kinds: suffix and content."""
    for suffix, codec, pixels, sound in CORPUS:
        rate = 25 if codec == "mpeg2video" else 24
        path = write_film(
            folder / f"good{suffix}", 6, codec=codec, pixels=pixels, sound=sound, size=(32, 48), rate=rate
        )
        yield suffix, path.read_bytes()


def color(path: Path, output: Path) -> str:
    """ "refused", or what the coloured film, which can be read, has less than six frames of."""
    try:
        notes = make_film(path, output, Painter(), FilmSettings(codec="ffv1", tta=False, max_megapixels=1))  # type: ignore[arg-type]
    except ColorizeError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said
    assert output.exists() == (not said)
    if said:
        return "refused"
    with av.open(str(output), metadata_errors="surrogateescape") as made:
        frames = sum(1 for _ in made.decode(video=0))
    assert frames > 0
    output.unlink()
    return "with a word" if notes else "in part" if frames < 6 else "whole"


def main(count: int, seed: int, folder: Path) -> None:
    limit_process(MEMORY)
    good = list(corpus(folder))
    output = folder / "out.mkv"
    for suffix, data in good:
        path = folder / f"mutated{suffix}"
        path.write_bytes(data)
        how = color(path, output)
        assert how == "whole", (suffix, how)
    seen = read_mutated(good, lambda path: color(path, output), count, seed, folder, SECONDS)
    ours = {f"{kind}{suffix}" for kind in ("good", "mutated") for suffix, _ in good}
    left = sorted(entry.name for entry in folder.iterdir() if entry.name not in ours)
    print(json.dumps({**seen, "left": len(left)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
