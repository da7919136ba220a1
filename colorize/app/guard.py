"""What is let through to the page's server, and what is not: nothing but what its own page asks for."""

import json
import os
import re
import stat
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from colorize.app.limits import LOOPBACK

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


FILE, UPLOAD = "/gradio_api/file=", "/gradio_api/upload"
QUESTIONS = ("/gradio_api/queue/join", "/gradio_api/run/predict")
READ = re.compile(
    r"/|/(?:theme\.css|favicon\.ico|manifest\.json|robots\.txt|config)|/(?:assets|static|svelte)/.+"
    r"|/gradio_api/(?:startup-events|app_id|info|queue/data|upload_progress|heartbeat/\w+|file=.+)"
)
WRITTEN = re.compile(r"/gradio_api/(?:queue/join|run/predict|upload|cancel|reset)")
LONGEST_QUESTION = 2**20  # bytes of one request that is no upload
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


class Guard:
    """An ASGI application around another, which answers a request itself unless the page could have sent it.

    Refused are all routes of Gradio that the page does not need; a request that another web site had a browser send,
    or that reached a loopback address under another name; each file outside of `root`, whether it is asked for or
    named in a question to the page; and uploads that, with the files below `root` and those that are just being sent,
    are more than `most_bytes`.

    Args:
        app: what is guarded.
        root: the folder of the page's files.
        host: the address that the server listens to.
        most_bytes: of all files below `root`.
    """

    def __init__(self, app: Asgi, root: Path, host: str, most_bytes: float) -> None:
        self.app, self.root, self.most_bytes = app, root.resolve(), most_bytes
        self.hosts = {*LOOPBACK, host} if host in LOOPBACK else None
        self._sending = 0  # bytes of uploads that have not ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} is spoken here")
        refused = self._refusal(scope)
        if refused is None and scope["path"] in QUESTIONS:
            refused, question = self._read_question(await _body(receive))
            headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
            scope["headers"] = [*headers, (b"content-length", str(len(question)).encode())]
            receive = _with_body(question, receive)
        if refused is not None:
            await _answer(send, *refused)
            return
        scope["query_string"] = b"" if scope["path"] == "/" else scope["query_string"]
        length = int(dict(scope["headers"])[b"content-length"]) if scope["path"] == UPLOAD else 0
        self._sending += length
        try:
            await self.app(scope, receive, _with_headers(send, scope["path"]))
        finally:
            self._sending -= length

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        method, path = scope["method"], scope["path"]
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if self.hosts is not None and _without_port(host) not in self.hosts:
            return 403, "This page is reached by the address of its own machine only."
        origin = headers.get(b"origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "Another web site cannot use this page."
        if not (READ.fullmatch(path) if method in ("GET", "HEAD") else method == "POST" and WRITTEN.fullmatch(path)):
            return 404, "There is nothing here."
        if path.startswith(FILE) and not self._is_ours(path.removeprefix(FILE)):
            return 404, "There is no such file."
        if path == UPLOAD:
            length = headers.get(b"content-length", "")
            if not length.isdecimal():
                return 411, "A file is sent with its length."
            if _bytes_below(self.root) + self._sending + int(length) > self.most_bytes:
                return 507, "The page has no room for more files at the moment: close other pages of it, or try later."
        return None

    def _read_question(self, body: bytes | None) -> tuple[tuple[int, str] | None, bytes]:
        """Why a question to the page is refused, and what was understood of it, written anew."""
        if body is None:
            return (413, f"A question to the page has at most {LONGEST_QUESTION:,} bytes."), b""
        try:
            content = json.loads(body)
            for path in _paths(content):
                if not self._is_ours(path):
                    return (403, "Only files that were sent to this page can be used: send it again."), b""
            return None, json.dumps(content).encode()
        except (ValueError, RecursionError):
            return (400, "A question to the page is JSON."), b""

    def _is_ours(self, path: object) -> bool:
        if not isinstance(path, str) or "\0" in path:
            return False
        real = Path(os.path.realpath(path))
        return os.path.isabs(path) and real.is_file() and real.is_relative_to(self.root)  # noqa: PTH117


def _paths(content: object) -> Iterable[object]:
    """What any object within says is a path."""
    left = [content]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "path" in value:
                yield value["path"]
            left += value.values()
        elif isinstance(value, list):
            left += value


def _without_port(host: str) -> str:
    return host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was removed since
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too long."""
    body, more = bytearray(), True
    while more and len(body) <= LONGEST_QUESTION:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body) if len(body) <= LONGEST_QUESTION else None


def _with_body(body: bytes, receive: Receive) -> Receive:
    """`receive` after a body that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return messages.pop() if messages else await receive()

    return receiving


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send, path: str) -> Send:
    """With headers that keep a browser from asking anyone else, and photographs out of its cache."""
    added = dict(HEADERS) | ({b"cache-control": b"no-store"} if path.startswith(FILE) else {})

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in added]
            message = {**message, "headers": [*kept, *added.items()]}
        await send(message)

    return sending
