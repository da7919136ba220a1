"""Weights from and to a small fake of the Hub on loopback, by real processes: HF_ENDPOINT is read at import."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.hub.card import model_card
from colorize.hub.download import download, parse_address
from colorize.inference.colorizer import Colorizer
from colorize.networks import build_network
from colorize.targets import build_target
from colorize.weights.model import Model
from tests.hub.fake import TOKEN, FakeHub, serve

REPO = Path(__file__).resolve().parents[2]
METRICS = {"test/mse": 0.005, "floor/mse": 0.0077, "test/delta_e": 8.9, "floor/delta_e": 10.7, "n_images": 12}
FACTS = {"image_size": 32, "chroma_gain": 1.5, "data": {"name": "own"}, "epochs": 3, "metrics": METRICS}


def small() -> Colorizer:
    torch.manual_seed(0)
    model = Model(build_target({"name": "LabTarget"}), build_network({"name": "UNet", "width": 4, "depth": 2}, 1, 2))
    return Colorizer(model, FACTS, device="cpu")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serve() as fake:
        yield fake


@pytest.fixture
def weights(tmp_path: Path) -> bytes:
    small().save(tmp_path / "model.safetensors")
    return (tmp_path / "model.safetensors").read_bytes()


class Process:
    """Python with a fake hub and a cache of its own."""

    def __init__(self, hub: FakeHub, home: Path) -> None:
        names = ("PATH", "HOME")
        self.environment = {name: os.environ[name] for name in names} | {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "PYTHONPATH": str(REPO),
            "OMP_NUM_THREADS": "1",
        }

    def __call__(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            words, env=self.environment | more, cwd=REPO, capture_output=True, text=True, timeout=600, check=False
        )


@pytest.fixture
def process(hub: FakeHub, tmp_path: Path) -> Process:
    return Process(hub, tmp_path / "home")


PUSH = """
import sys
from colorize import Colorizer
from colorize.errors import ColorizeError
try:
    print(Colorizer.load(sys.argv[1], device="cpu").push_to_hub("ann/small", license="mit"))
except ColorizeError as error:
    print("refused:", error)
"""
PULL = """
import json, sys
from colorize import Colorizer
from colorize.errors import ColorizeError
for address in sys.argv[1:]:
    repository, _, revision = address.partition("@")
    try:
        print(json.dumps(Colorizer.from_pretrained(repository, revision or None, device="cpu").facts["hub"]))
    except ColorizeError as error:
        print("refused:", error)
"""


@pytest.mark.slow
def test_what_is_pushed_is_pulled_again(hub: FakeHub, process: Process, tmp_path: Path, weights: bytes) -> None:
    """Push, load by the address that push gives, colour a photograph by predict.py, and the same offline."""
    pushed = process("-c", PUSH, tmp_path / "model.safetensors", HF_TOKEN=TOKEN)
    (sha, files) = hub.repositories["ann/small"][0]
    assert pushed.stdout.strip() == f"hf://ann/small@{sha}", pushed.stderr
    assert files["model.safetensors"] == weights
    config = json.loads(files["config.json"])
    assert (config["image_size"], config["metrics"], config["network"]["name"]) == (32, METRICS, "UNet")
    card = files["README.md"].decode()
    assert 'license: "mit"' in card
    assert "| these weights | 0.005 | 8.9 |" in card
    with Image.open(io.BytesIO(files["samples.png"])) as sheet:
        assert sheet.size == (6 * 32, 3 * 32)

    newer = hub.commit("ann/small", {"config.json": b"{}"})
    gray = np.random.default_rng(0).integers(0, 255, (40, 50), dtype=np.uint8)
    Image.fromarray(gray).save(tmp_path / "photo.png")
    by_name = (f"checkpoint=hf://ann/small@{sha}", f"input={tmp_path / 'photo.png'}", "trainer.accelerator=cpu")
    colored = process("predict.py", *by_name, f"output={tmp_path / 'out.png'}")
    assert colored.returncode == 0, colored.stderr
    with Image.open(tmp_path / "out.png") as picture:
        assert np.array_equal(np.asarray(picture), small_from(tmp_path).render(gray))

    pulled = process("-c", PULL, "ann/small", f"ann/small@{sha}")
    origins = [json.loads(line) for line in pulled.stdout.splitlines()]
    assert [origin["revision"] for origin in origins] == [newer, sha], pulled.stderr
    assert "cannot be reached" not in pulled.stderr

    offline = process("-c", PULL, "ann/small", "ann/other", HF_ENDPOINT="http://127.0.0.1:1")
    first, second = offline.stdout.splitlines()
    assert json.loads(first)["revision"] == newer
    assert "hf://ann/small: the Hub cannot be reached" in offline.stderr
    assert f"its cache's {newer} is used" in offline.stderr
    assert second.startswith("refused: hf://ann/other: the Hub cannot be reached")


def small_from(folder: Path) -> Colorizer:
    return Colorizer.load(folder / "model.safetensors", device="cpu")


@pytest.mark.slow
def test_what_a_stranger_has_is_data_and_what_is_missing_is_said(
    hub: FakeHub, process: Process, tmp_path: Path, weights: bytes
) -> None:
    """Only model.safetensors is asked for, and it goes through the loader of exported files."""
    code = b"open('was-run', 'w')"
    extras = {
        "modeling.py": code,
        "pytorch_model.bin": code,
        "config.json": b'{"auto_map": {"AutoModel": "modeling.M"}}',
    }
    good = hub.commit("bob/good", {"model.safetensors": weights, **extras})
    hub.commit("bob/pickle", {"model.safetensors": b"\x80\x04cos\nsystem\n(S'touch was-run'\ntR.", **extras})
    hub.commit("bob/empty", extras)
    done = process("-c", PULL, "bob/good", "bob/pickle", "bob/empty", "bob/none", "bob/good@v9", "bob", "/etc/passwd")
    lines = done.stdout.splitlines()
    assert json.loads(lines[0]) == {"repository": "bob/good", "revision": good}, done.stderr
    for line, words in zip(
        lines[1:],
        ["cannot be read as a safetensors", "has no model.safetensors", "has no such repository", "no such revision",
         "bob is no repository", "/etc/passwd is no repository"],
        strict=True,
    ):  # fmt: skip
        assert line.startswith("refused: "), line
        assert words in line
    asked = [request for request in hub.requests if "/resolve/" in request]
    assert {request.rpartition("/")[2] for request in asked} == {"model.safetensors"}
    assert not (REPO / "was-run").exists()

    nobody = process("-c", PUSH, tmp_path / "model.safetensors")
    assert "refused: hf://ann/small: the Hub does not let you write there" in nobody.stdout, nobody.stderr


def test_the_commit_goes_into_what_is_saved(tmp_path: Path) -> None:
    origin = {"repository": "ann/small", "revision": "0" * 40}
    plain = small()
    colorizer = Colorizer(Model(plain.target, plain.network), plain.facts | {"hub": origin}, device="cpu")
    colorizer.save(tmp_path / "saved.safetensors")
    assert Colorizer.load(tmp_path / "saved.safetensors", device="cpu").facts["hub"] == origin


def test_addresses() -> None:
    assert parse_address("hf://ann/small.v2") == ("ann/small.v2", None)
    assert parse_address("ann/small@refs/pr/1") == ("ann/small", "refs/pr/1")
    for wrong in ("hf://ann", "hf://ann/small/more", "hf://../small", "hf://ann/..", "hf://ann/s@", "https://ann/s"):
        with pytest.raises(ColorizeError, match="is no repository of the Hub"):
            parse_address(wrong)


@pytest.mark.parametrize("name", ["small.git", "a--b", "x" * 97])
def test_a_name_that_the_hub_does_not_give_is_refused(name: str) -> None:
    with pytest.raises(ColorizeError, match=f"hf://ann/{name} is no repository of the Hub: "):
        download(f"hf://ann/{name}")


def test_the_page_says_what_is_known_and_no_more() -> None:
    header: dict[str, Any] = {
        "network": {"name": "UNet", "width": 4},
        "target": {"name": "LabTarget"},
        "image_size": 32,
    }
    card = model_card("ann/small", header)
    assert "license" not in card
    assert "No figures are known of these weights." in card
    assert 'Colorizer.from_pretrained("ann/small")' in card
    known = model_card("ann/small", header | {"metrics": METRICS, "data": {"name": "own"}})
    assert "**Data**: name own." in known
    assert "| gray floor | 0.0077 | 10.7 |" in known
    assert "(12 pictures)" in known


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", None)
    with pytest.raises(ColorizeError, match=r"pip install 'colorize\[hub\]'"):
        Colorizer.from_pretrained("ann/small")
