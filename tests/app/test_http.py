"""A real page, asked by hand-written requests and not by a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.conftest import PATIENCE, Page, Serve
from tests.images.samples import png

pytestmark = pytest.mark.slow


@pytest.fixture
def client(page: Page) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page.url, timeout=PATIENCE, trust_env=False) as client:
        yield client


def handler(client: httpx.Client, output: str) -> int:
    """The number of what the page calls to fill the component of this name."""
    config = client.get("/config").json()
    [component] = [part["id"] for part in config["components"] if part["props"].get("elem_id") == output]
    return int(next(call["id"] for call in config["dependencies"] if component in call["outputs"]))


def send(client: httpx.Client, file: Path) -> str:
    answer = client.post("/gradio_api/upload", files={"files": (file.name, file.read_bytes())})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def data(path: object) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def ask(client: httpx.Client, output: str, values: list[Any], session: str = "s1") -> httpx.Response:
    question = {"data": values, "fn_index": handler(client, output), "session_hash": session}
    return client.post("/gradio_api/queue/join", json=question)


def answers(client: httpx.Client, session: str = "s1") -> str:
    """All that the page says to a session, as text."""
    return client.get("/gradio_api/queue/data", params={"session_hash": session}).text


def controls(**values: Any) -> list[Any]:
    known = {"weights": "photographs", "file": None, "saturation": 1, "tta": False, "samples": 0, "uncertainty": False}
    return list({**known, **values}.values())


def test_files_of_the_machine_are_not_given_away(client: httpx.Client, scenes: list[Path]) -> None:
    own = send(client, scenes[0])
    assert client.get(f"/gradio_api/file={own}").content == scenes[0].read_bytes()
    folder = Path(own).parent
    for path in (
        "/etc/passwd",
        "//etc/passwd",
        f"{folder}/../../../../../../etc/passwd",
        f"{folder}/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        str(scenes[1]),
        str(Path(__file__)),
        "pyproject.toml",
        "colorize/weights/photographs.safetensors",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
    ):
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404), path
        assert client.get(f"/gradio_api/file/{path}").status_code in (403, 404), path
        assert client.get(f"/assets/{path}").status_code in (403, 404), path
        assert client.get(f"/static/{path}").status_code in (403, 404), path
        assert client.get(f"/svelte/{path}").status_code in (403, 404), path
        assert ask(client, "status", [data(path), *controls()]).status_code == 403, path
        assert ask(client, "status", [data(own), *controls(file=data(path))]).status_code == 403, path
        assert ask(client, "album-status", [[data(own), data(path)], *controls()]).status_code == 403, path


def test_a_path_that_is_no_file_data_reaches_nothing(client: httpx.Client, scenes: list[Path]) -> None:
    """Weights by a path, a photograph as plain text: what a handler gets is what a component lets through."""
    own = send(client, scenes[0])
    secret = str(scenes[1])
    for number, values in enumerate(
        (
            [secret, *controls()],
            [data(own), *controls(weights=secret)],
            [data(own), *controls(file=secret)],
            [data(own), *controls(weights="/etc/passwd")],
        )
    ):
        session = f"plain{number}"
        assert ask(client, "status", values, session).status_code == 200
        said = answers(client, session)
        assert "after.jpg" not in said, values
        assert "_colorized" not in said, values


def test_no_work_goes_past_the_queue(client: httpx.Client, scenes: list[Path]) -> None:
    """Gradio never answers a click of the moment in which its stream of answers ends, so small ones do without."""
    calls = client.get("/config").json()["dependencies"]
    assert [call["outputs"] for call in calls if not call["queue"]] == [[], []]
    own = send(client, scenes[0])
    question = {"data": [data(own), *controls()], "fn_index": handler(client, "status"), "session_hash": "s1"}
    assert client.post("/gradio_api/run/predict", json=question).status_code == 404


def test_what_is_sent_has_a_limit(client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "long.jpg").write_bytes(bytes(3_100_000))
    with (tmp_path / "long.jpg").open("rb") as file:
        answer = client.post("/gradio_api/upload", files={"files": file})
    assert answer.status_code == 413
    assert "3" in answer.text


def test_a_bomb_is_refused_by_its_header(client: httpx.Client, tmp_path: Path) -> None:
    """A PNG of 400 megapixels in 400 KB."""
    png(tmp_path / "bomb.png", (20_000, 20_000, 8, 0), bytes(20_001 * 20))
    assert ask(client, "status", [data(send(client, tmp_path / "bomb.png")), *controls()], "bomb").status_code == 200
    said = answers(client, "bomb")
    assert "bomb.png: cannot be read as a photograph: it has 20000 x 20000 pixels" in said


def test_weights_that_hold_code_are_refused(client: httpx.Client, scenes: list[Path], tmp_path: Path) -> None:
    (tmp_path / "mine.ckpt").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    weights = data(send(client, tmp_path / "mine.ckpt"))
    values = [data(send(client, scenes[0])), *controls(file=weights)]
    assert ask(client, "status", values, "code").status_code == 200
    assert "mine.ckpt is refused: it is no checkpoint" in answers(client, "code")


def test_no_address_outside_is_in_what_the_page_loads(client: httpx.Client) -> None:
    assert not re.search(r"(@import|src:|url\()\s*['\"]?(https?:)?//", client.get("/theme.css").text)
    config = json.dumps(client.get("/config").json())
    assert "google" not in config
    assert client.get("/config").json()["analytics_enabled"] is False


def test_nothing_is_left_when_it_ends(serve: Serve, scenes: list[Path]) -> None:
    page = serve()
    with httpx.Client(base_url=page.url, timeout=PATIENCE, trust_env=False) as client:
        assert ask(client, "status", [data(send(client, scenes[0])), *controls()]).status_code == 200
        assert "scene 0_colorized.jpg" in answers(client)
        assert len(list(page.temporary.rglob("*.jpg"))) == 5  # sent, its second name, before, after, the picture
        assert page.end() == 128 + 15
    assert list(page.temporary.iterdir()) == []
