"""Packing by several processes, and by one that is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from colorize.images import find_photographs
from tests.data.packing import folders, pack_folder

CONTROLLED_PACKING = """
import sys
from pathlib import Path
from colorize.data import pack as packing
from colorize.images import find_photographs, read_rgb

root, cache, wait_at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
decoded, lock = 0, packing._lock

def read(path, **options):
    global decoded
    print("decode", flush=True)
    if decoded == wait_at:
        sys.stdin.readline()
    decoded += 1
    return read_rgb(path, **options)

def say_lock(*arguments, **options):
    print("lock", flush=True)
    return lock(*arguments, **options)

assert "torch" not in sys.modules
packing.read_rgb, packing._lock = read, say_lock
result = packing.pack(root, find_photographs(root), 16, cache, workers=1)
print(result.images.shape, int(result.images.astype(int).sum()), flush=True)
"""


class Packer:
    """A process that packs, says each step, and waits for a word before it decodes photograph number `wait_at`."""

    def __init__(self, root: Path, cache: Path, wait_at: int) -> None:
        arguments = [sys.executable, "-c", CONTROLLED_PACKING, str(root), str(cache), str(wait_at)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def read_until(self, word: str, count: int = 1) -> None:
        assert self.process.stdout is not None
        while count:
            line = self.process.stdout.readline()
            assert line, "the process has ended"
            count -= line.strip() == word

    def finish(self) -> list[str]:
        """The rest of what it says."""
        return self.process.communicate("go on\n", timeout=120)[0].splitlines()


@pytest.mark.slow
def test_two_processes_pack_one_cache(root: Path, cache: Path) -> None:
    first = Packer(root, cache, 4)
    first.read_until("decode", 5)  # it holds the lock, and waits
    second = Packer(root, cache, 0)
    second.read_until("lock")  # it has found no cache, and is about to wait for the lock
    built, taken = first.finish(), second.finish()
    assert [first.process.returncode, second.process.returncode] == [0, 0]
    assert built.count("decode") == 4
    assert built[-1] == taken[-1]
    assert built[-1].startswith("(9, 16, 16, 3)")
    assert "decode" not in taken
    assert len(folders(cache)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("changed", [False, True])
def test_a_killed_packing_is_no_cache(changed: bool, root: Path, cache: Path) -> None:
    packer = Packer(root, cache, 3)
    packer.read_until("decode", 4)
    packer.process.kill()
    packer.process.communicate(timeout=60)
    (left,) = folders(cache)
    assert left.name.endswith(".tmp")
    assert json.loads((left / "index.json").read_text()).keys() == {"root", "recipe", "size"}
    if changed:  # the next packing has another fingerprint
        find_photographs(root)[0].unlink()
    assert len(pack_folder(root, cache).images) == 9 - changed
    assert len(folders(cache)) == 1
    assert not left.exists()


def test_every_byte_is_on_the_disk_before_a_cache_has_its_name(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []

    def sync(file: int) -> None:
        synced.append((os.fstat(file).st_size, all(folder.suffix == ".tmp" for folder in folders(cache))))

    monkeypatch.setattr(os, "fsync", sync)
    pack_folder(root, cache)
    (folder,) = folders(cache)
    sizes = {name: (folder / name).stat().st_size for name in ("images.bin", "index.json")}
    assert all(unnamed for _, unnamed in synced)
    assert [size for size, _ in synced][1:] == [*sizes.values()]
