"""A training in two processes, of one machine or of two, is the training of one process with the same global batch."""

import csv
import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colorize.data.shards import write_shards
from colorize.images import write_photograph
from tests.cli.conftest import Finished
from tests.cli.together import as_nodes, as_torchrun

pytestmark = pytest.mark.slow
TRAINING = [
    "model.network.width=4",
    "model.network.depth=1",
    "model.network.norm=group",  # BatchNorm would take its statistics from each process's share of a batch
    "data.image_size=16",
    "trainer.max_epochs=5",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",  # bfloat16, which auto may take, rounds each share of a batch by itself
    "trainer.log_every_n_steps=1",
    "trainer.enable_progress_bar=false",
    "callbacks.architecture=null",
    "callbacks.samples=null",
    "callbacks.curves=null",
    "+callbacks.seen._target_=tests.cli.seen.Seen",
    "+callbacks.seen.folder=${run_dir}/seen",
]


SCENES = ["data.train_size=101", "data.val_size=9", "data.test_size=5"]
KILL = [
    "+callbacks.die._target_=tests.cli.seen.Die",
    "+callbacks.die.rank=1",
    "+callbacks.die.batch=2",
]


class Run:
    """A training that has ended."""

    def __init__(self, folder: Path, finished: list[Finished]) -> None:
        self.folder, self.finished = folder, finished
        if any(code != 0 for code, *_ in finished):
            return
        with (folder / "metrics.csv").open(newline="") as file:
            self.rows = list(csv.DictReader(file))
        self.test = json.loads((folder / "metrics.json").read_text())
        self.seen = [json.loads(path.read_text()) for path in sorted((folder / "seen").iterdir())]

    def column(self, name: str) -> list[float]:
        return [float(row[name]) for row in self.rows if row.get(name)]

    def pictures(self, split: str, epoch: int) -> list[list[int]]:
        """Of each rank."""
        return [list(chain(*(index for number, index in seen[split] if number == epoch))) for seen in self.seen]


@pytest.fixture(scope="module")
def runs(commands: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    root = tmp_path_factory.mktemp("many")
    for number in range(60):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        (root / "photographs").mkdir(exist_ok=True)
        write_photograph(root / f"photographs/{number}.png", pixels)
    write_shards(root / "photographs", root / "shards", 16, 0.2, 0.1, shard_megabytes=0.004)
    streaming = ["data=streaming", f"data.root={root / 'shards'}", "trainer.max_epochs=2"]
    still = [*TRAINING, *SCENES, "data.augment.flip=false"]
    devices = ["trainer.devices=2", "trainer.strategy=ddp", "data.batch_size=4"]
    nodes = ["trainer.devices=1", "trainer.num_nodes=2", "trainer.strategy=ddp", "data.batch_size=4"]
    kinds: dict[str, tuple[list[dict[str, str]], list[str]]] = {
        "one": ([{}], [*still, "data.batch_size=8"]),
        "two": (as_torchrun(), [*still, *devices]),
        "nodes": (as_nodes(), [*still, *nodes]),
        "flipped": (as_torchrun(), [*TRAINING, *SCENES, *devices, "trainer.max_epochs=1"]),
        "streamed": (as_torchrun(), [*TRAINING, *devices, *streaming]),
        "killed": (as_nodes(), [*still, *nodes, *KILL]),
    }

    def run(name: str) -> Run:
        members, words = kinds[name]
        folder = root / name
        command = ["train.py", *words, f"hydra.run.dir={folder}"]
        return Run(folder, commands.together([(member, command) for member in members]))

    return {name: run(name) for name in kinds}


@pytest.mark.parametrize("kind", ["two", "nodes"])
def test_the_losses_are_those_of_one_process(kind: str, runs: dict[str, Run]) -> None:
    for name in ("train/loss_step", "train/loss_epoch", "val/loss"):
        ours, one = runs[kind].column(name), runs["one"].column(name)
        assert len(ours) == len(one) == (60 if name == "train/loss_step" else 5)
        assert ours == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("kind", ["two", "nodes"])
def test_the_metrics_are_those_of_one_process(kind: str, runs: dict[str, Run]) -> None:
    """Of nine validation pictures in batches of four: none counts twice to make the shares equal."""
    one = runs["one"]
    names = [name for name in one.rows[0] if name.startswith("val")]
    assert len(names) > 10
    for name in names:
        assert runs[kind].column(name) == pytest.approx(one.column(name), rel=1e-3), name
    for name, value in one.test.items():
        if name.startswith(("test/", "floor/")):
            assert runs[kind].test[name] == pytest.approx(value, rel=1e-3), name
    assert runs[kind].test["n_images"] == 5


@pytest.mark.parametrize("kind", ["two", "nodes"])
def test_each_picture_comes_once_an_epoch(kind: str, runs: dict[str, Run]) -> None:
    run = runs[kind]
    for epoch in range(5):
        first, second = run.pictures("train", epoch)
        assert len(first) == len(second) == 48
        assert max(Counter(first + second).values()) == 1
        assert set(first + second) == set(runs["one"].pictures("train", epoch)[0])
        assert sorted(chain(*run.pictures("val", epoch))) == list(range(9))
    assert [len(seen["val"]) for seen in run.seen] == [10, 10]  # batches: what BatchNorm exchanges needs as many


@pytest.mark.parametrize("kind", ["two", "nodes"])
def test_there_is_one_set_of_files(kind: str, runs: dict[str, Run]) -> None:
    def files(run: Run) -> set[str]:
        return {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}

    assert files(runs[kind]) == files(runs["one"]) | {"seen/1.json"}
    (_, out, _), (_, other_out, _) = runs[kind].finished
    assert "use: python predict.py" in out
    assert other_out == ""


def test_each_rank_augments_in_its_own_way(runs: dict[str, Run]) -> None:
    still, flipped = runs["two"], runs["flipped"]
    mirrored = []
    for calm, moved in zip(still.seen, flipped.seen, strict=True):
        assert moved["train"] == calm["train"][: len(moved["train"])]
        pairs = zip(chain(*calm["first"]), chain(*moved["first"]), strict=False)
        mirrored.append([before != after for before, after in pairs])
    assert all(10 < sum(flags) < 40 for flags in mirrored)
    assert mirrored[0] != mirrored[1]


def test_a_node_that_dies_ends_the_other_in_one_sentence(runs: dict[str, Run]) -> None:
    """At once: what it waits for breaks off."""
    (code, _, err), (killed, *_) = runs["killed"].finished
    assert killed == -9
    assert code == 1
    assert err.count("error: ") == 1
    assert "error: Another process of this training has died" in err
    assert "checkpoints/last.ckpt goes on from the last checkpoint." in err
    assert "Traceback" not in err


def test_two_processes_stream_each_picture_once(runs: dict[str, Run]) -> None:
    for epoch in range(2):
        first, second = runs["streamed"].pictures("train", epoch)
        assert len(first) == len(second) >= 16
        assert not set(first) & set(second)
        assert max(Counter(first + second).values()) == 1
        held_out = list(chain(*runs["streamed"].pictures("val", epoch)))
        assert sorted(held_out) == list(range(len(held_out)))


@pytest.mark.parametrize("kind", ["one", "two", "nodes", "flipped", "streamed"])
def test_all_processes_end_well(kind: str, runs: dict[str, Run]) -> None:
    for code, _, err in runs[kind].finished:
        assert code == 0, err
