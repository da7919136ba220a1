"""What the guard lets through, by requests as a hostile client writes them."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from colorize.app.guard import LONGEST_QUESTION, QUESTIONS, Guard


class Inner:
    """An application that remembers what reached it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"reached"})


class Client:
    """Sends requests to a guard, without a network."""

    def __init__(self, root: Path, host: str = "127.0.0.1", most_bytes: float = 1000) -> None:
        self.inner = Inner()
        self.guard = Guard(self.inner, root, host, most_bytes)
        self.headers: dict[bytes, bytes] = {}

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> int:
        given = {"host": "127.0.0.1:7860", "content_length": str(len(body)), **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        }
        chunks = [{"type": "http.request", "body": body}]
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return chunks.pop()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
                self.headers = dict(message["headers"])

        anyio.run(self.guard, scope, receive, send)
        return status[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "ab12").mkdir(parents=True)
    (folder / "ab12/photo.jpg").write_bytes(b"a photograph")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def client(root: Path) -> Client:
    return Client(root)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/monitoring"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:22/"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/custom_component/1/client/component/../../x"),
        ("GET", "/gradio_api/stream/a/b/c/playlist.m3u8"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/dev/reload"),
        ("POST", "/gradio_api/run/color"),
        ("POST", "/gradio_api/api/predict"),
        ("POST", "/gradio_api/call/color"),
        ("POST", "/gradio_api/call/v2/color"),
        ("POST", "/gradio_api/vibe-edit/"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/login"),
        ("POST", "/"),
        ("PUT", "/gradio_api/upload"),
        ("DELETE", "/"),
    ],
)
def test_what_the_page_does_not_need_is_not_there(client: Client, method: str, path: str) -> None:
    assert client(method, path) == 404
    assert client.inner.bodies == []


@pytest.mark.parametrize("path", ["/", "/assets/index.js", "/theme.css", "/gradio_api/queue/data", "/config"])
def test_what_the_page_needs_is(client: Client, path: str) -> None:
    assert client("GET", path) == 200


def outside(root: Path) -> list[str]:
    (root / "link.jpg").symlink_to(root.parent / "secret.txt")
    return [
        "/etc/passwd",
        "../secret.txt",
        "secret.txt",
        "",
        str(root),
        f"{root}/../secret.txt",
        f"{root}/ab12/../../secret.txt",
        f"{root}/link.jpg",
        f"{root}/ab12/photo.jpg\0.txt",
        f"{root}2/photo.jpg",
        "file:///etc/passwd",
        "http://127.0.0.1:22/",
        "https://huggingface.co/x.jpg",
        "data:image/png;base64,AAAA",
        "~/.ssh/id_rsa",
    ]


def test_no_file_outside_of_the_folder_is_given_away(client: Client, root: Path) -> None:
    assert client("GET", f"/gradio_api/file={root}/ab12/photo.jpg") == 200
    assert client.headers[b"cache-control"] == b"no-store"
    assert [path for path in outside(root) if client("GET", f"/gradio_api/file={path}") != 404] == []
    assert len(client.inner.bodies) == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_file_outside_of_the_folder_can_be_named(client: Client, root: Path, question: str) -> None:
    def ask(path: object) -> int:
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return client("POST", question, json.dumps({"data": [None, [{"deep": file}]]}).encode())

    assert ask(f"{root}/ab12/photo.jpg") == 200
    assert json.loads(client.inner.bodies[0])["data"][1][0]["deep"]["path"] == f"{root}/ab12/photo.jpg"
    assert [path for path in [*outside(root), None, 1, ["/etc/passwd"]] if ask(path) != 403] == []
    assert len(client.inner.bodies) == 1


def test_a_question_is_read_once_so_that_both_understand_the_same(client: Client, root: Path) -> None:
    body = b'{"data": [{"path": "/etc/passwd", "path": "%s/ab12/photo.jpg"}]}' % str(root).encode()
    assert client("POST", "/gradio_api/queue/join", body) == 200
    assert b"passwd" not in client.inner.bodies[0]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[" * 100_000, 400), (b"\xff", 400), (b" " * (LONGEST_QUESTION + 1), 413)]
)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_is_none_is_refused(client: Client, question: str, body: bytes, status: int) -> None:
    assert client("POST", question, body) == status
    assert client.inner.bodies == []


def test_another_site_cannot_use_the_page(client: Client) -> None:
    assert client("POST", "/gradio_api/upload", origin="https://example.org") == 403
    assert client("POST", "/gradio_api/upload", origin="null") == 403
    assert client("POST", "/gradio_api/upload", origin="http://127.0.0.1:7860") == 200


def test_a_loopback_address_is_not_reached_under_another_name(root: Path) -> None:
    """A name that its owner points to 127.0.0.1 makes the page a part of their site."""
    for host in ("127.0.0.1", "localhost", "::1"):
        client = Client(root, host)
        assert client("GET", "/", host="example.org") == 403
        assert client("GET", "/", host="example.org:7860") == 403
        assert client("GET", "/", host="") == 403
        assert client("GET", "/", host="localhost:7860") == 200
        assert client("GET", "/", host="[::1]:7860") == 200
    assert Client(root, "0.0.0.0")("GET", "/", host="example.org") == 200


def test_uploads_end_where_there_is_no_room(root: Path) -> None:
    client = Client(root, most_bytes=100)
    assert client("POST", "/gradio_api/upload", b"x" * 80) == 200
    assert client("POST", "/gradio_api/upload", b"x" * 90) == 507
    assert client("POST", "/gradio_api/upload", b"x", content_length="") == 411


def test_uploads_at_the_same_time_share_the_room(root: Path) -> None:
    client = Client(root, most_bytes=100)
    inner, statuses = client.inner, list[int]()

    async def beside_another(*arguments: Any) -> None:
        client.guard.app = inner
        statuses.append(await anyio.to_thread.run_sync(client, "POST", "/gradio_api/upload", b"x" * 50))
        await inner(*arguments)

    client.guard.app = beside_another
    assert client("POST", "/gradio_api/upload", b"x" * 50) == 200
    assert statuses == [507]
    assert client("POST", "/gradio_api/upload", b"x" * 50) == 200


def test_the_browser_is_told_to_ask_nobody_else(client: Client) -> None:
    assert client("GET", "/") == 200
    policy = client.headers[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert client.headers[b"x-own"] == b"1"
    assert client("GET", "/nothing") == 404
    assert b"content-security-policy" in client.headers
