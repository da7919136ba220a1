"""The tables of a comparison."""

from pathlib import Path

from colorize.compare.runs import Run
from colorize.compare.table import floors


def measured(name: str, data: str, root: str | None, count: int, mse: float) -> Run:
    config = {"data.image_size": "64"} | ({} if root is None else {"data.root": root})
    return Run(Path("/runs") / name, 0, {"data": data}, {}, config, {"floor/mse": mse, "n_images": count})


def test_a_floor_is_named_by_what_its_data_have() -> None:
    runs = [
        measured("a", "scenes", None, 128, 0.1),
        measured("b", "cifar10", "null", 1000, 0.2),
        measured("c", "photographs", "/album", 1000, 0.3),
    ]
    expected = ["scenes, 128 pictures", "cifar10, 1000 pictures", "photographs, /album, 1000 pictures"]
    assert list(floors(runs)) == expected


def test_floors_of_the_same_data_are_named_by_a_run() -> None:
    runs = [measured(name, "cifar10", None, 1000, mse) for name, mse in (("a", 0.1), ("b", 0.2))]
    assert list(floors(runs)) == ["a", "b"]
