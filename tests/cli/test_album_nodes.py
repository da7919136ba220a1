"""Two nodes that share a folder colour one album: one ledger, each photograph once; a stop of one stops both."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Finished
from tests.cli.together import as_nodes

pytestmark = pytest.mark.slow
PHOTOGRAPHS = 40


@pytest.fixture(scope="module")
def finished(commands: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[Finished]]]:
    """What three starts came to: of two nodes, one of which is asked to end; of both again; of one process alone."""
    root = tmp_path_factory.mktemp("nodes")
    (root / "album").mkdir()
    rng = np.random.default_rng(0)
    for number in range(PHOTOGRAPHS):
        pixels = rng.integers(0, 256, (5, 7), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 32)).save(root / f"album/{number:02}.jpg")
    words = ["predict.py", "checkpoint=cifar10", f"input={root / 'album'}", "num_threads=1", "batch_size=1"]
    words += ["trainer.accelerator=cpu"]
    two = [*words, f"output={root / 'two'}", "trainer.num_nodes=2"]
    stopping: list[Any] = [
        [{**node, "STOP_NODE": "1"}, [*two, "plugins=[tests.cli.stop_one]", "tta=false"]] for node in as_nodes()
    ]
    again: list[Any] = [[node, [*two, "tta=false"]] for node in as_nodes()]
    alone: list[Any] = [[{}, [*words, f"output={root / 'one'}", "tta=false"]]]
    return root, [commands.together(group) for group in (stopping, again, alone)]


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "report.csv").open(newline="") as file:
        return {Path(row["file"]).name: row for row in csv.DictReader(file)}


def test_a_stop_of_one_node_stops_both(finished: tuple[Path, list[list[Finished]]]) -> None:
    (code, _, err), (other_code, _, other_err) = finished[1][0]
    assert code == 130, err
    assert other_code in (0, 130), other_err
    assert "photographs are left; the same command goes on with them." in err
    made = int(err.split(" of 40 photographs are left")[0].split("stopped: ")[1])
    assert 0 < made <= PHOTOGRAPHS - 3


def test_two_nodes_make_each_picture_once_into_one_ledger(finished: tuple[Path, list[list[Finished]]]) -> None:
    root, (_, again, alone) = finished
    for code, _, err in [*again, *alone]:
        assert code == 0, err
    assert again[1][1] == ""  # the first node speaks for both
    ours, one = rows(root / "two"), rows(root / "one")
    assert ours.keys() == one.keys()
    assert len(ours) == PHOTOGRAPHS
    assert {row["status"] for row in ours.values()} <= {"done", "kept"}
    for name in ours:
        assert (root / "two" / name).read_bytes() == (root / "one" / name).read_bytes()
    assert {path.name for path in (root / "two").iterdir()} == {*ours, "report.csv"}
