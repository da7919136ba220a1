"""Each start has a folder of its own, unless somebody named it."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from colorize.training.folder import make_folder

SCRIPT = """
import sys
sys.path.insert(0, {repo!r})  # ranks run the script itself
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(version_base="1.3", config_path={conf!r}, config_name="train")
def main(cfg):
    (Path(cfg.run_dir) / f"seed{{cfg.seed}}").touch(exist_ok=False)
    print(cfg.run_dir)

main()
"""
REPO = Path(__file__).resolve().parents[2]
NOW = "hydra.run.dir=outputs/${now:%Y}_MODEL", "hydra.sweep.dir=multirun/${now:%Y}"  # the same for all starts of a year


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that is composed as train.py is, and says which folder it has."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(repo=str(REPO), conf=str(REPO / "conf")))
    return path


def start(script: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, script, *words, "~hydra.callbacks.compare_runs"],
        cwd=script.parent,
        stdout=subprocess.PIPE,
        text=True,
    )


def folders(process: "subprocess.Popen[str]") -> list[Path]:
    """What a process that ends well prints, relative to where it ran."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    return [Path(line).relative_to(Path(process.args[1]).parent) for line in out.splitlines() if line.startswith("/")]  # type: ignore[index]


def test_starts_of_one_second_have_a_folder_each(script: Path) -> None:
    processes = [start(script, f"seed={seed}", *NOW) for seed in range(2)]
    found = {str(path) for process in processes for path in folders(process)}
    year = next(iter(found)).partition("/")[2][:4]
    assert found == {f"outputs/{year}_MODEL", f"outputs/{year}_MODEL_2"}
    made = list((script.parent / "outputs").iterdir())
    assert sorted(len(list(path.glob("seed*"))) for path in made) == [1, 1]
    assert sorted((path / ".hydra/overrides.yaml").read_text()[:8] for path in made) == [
        "- seed=0",
        "- seed=1",
    ]


def test_sweeps_of_one_second_have_a_folder_each(script: Path) -> None:
    processes = [start(script, "-m", f"seed={seeds}", *NOW) for seeds in ("0,1", "2,3")]
    first, second = (folders(process) for process in processes)
    assert [path.name for path in (*first, *second)] == ["0", "1", "0", "1"]
    assert len({path.parent for path in first}) == len({path.parent for path in second}) == 1
    assert {path.parent.name[4:] for path in (*first, *second)} == {"", "_2"}
    assert {path.parent.name for path in first} | {path.parent.name for path in second} == {
        path.name for path in (script.parent / "multirun").iterdir()
    }


def test_the_default_names_are_of_the_second_and_their_own(script: Path) -> None:
    (run,) = folders(start(script, "model=rgb_cae"))
    assert re.fullmatch(r"outputs/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d_rgb_cae_scenes", str(run))


def test_a_folder_that_somebody_named_is_used_again(script: Path) -> None:
    """So does Lightning for the further ranks of a run."""
    (script.parent / "mine").mkdir()
    assert folders(start(script, "hydra.run.dir=mine")) == [Path("mine")]


def test_no_two_callers_make_the_same_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make_folder, [tmp_path / "day/run"] * 40))
    assert {path.name for path in made} == {"run", *(f"run_{number}" for number in range(2, 41))}


@pytest.mark.parametrize("words", [NOW, ["hydra.run.dir=outputs"], ["hydra.run.dir=outputs/mine"]], ids=str)
def test_a_place_without_room_for_a_folder_is_one_sentence(words: list[str], script: Path) -> None:
    (script.parent / "outputs").write_text("a file")
    process = subprocess.run(
        [sys.executable, script, "~hydra.callbacks.compare_runs", *words],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr.startswith("error: no folder can be made for this run: ")
    assert process.stderr.count("\n") == 1
