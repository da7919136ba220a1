"""A Hugging Face Hub of one process on loopback: what huggingface_hub asks for models, and no more of it."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_of_a_test"


class FakeHub:
    """Repositories by name, each a list of commits: an id and its files."""

    def __init__(self) -> None:
        self.repositories: dict[str, list[tuple[str, dict[str, bytes]]]] = {}
        self.uploaded: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.url = ""

    def commit(self, repository: str, files: dict[str, bytes]) -> str:
        commits = self.repositories.setdefault(repository, [])
        before = commits[-1][1] if commits else {}
        commits.append((hashlib.sha1(f"{repository}{len(commits)}".encode()).hexdigest(), {**before, **files}))
        return commits[-1][0]

    def find(self, repository: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.repositories[repository]
        return commits[-1] if revision == "main" else next((one for one in commits if one[0] == revision), None)


@contextmanager
def serve() -> Iterator[FakeHub]:
    """A hub that answers at `hub.url` until the end of the block."""
    hub = FakeHub()

    class Handler(_Handler):
        fake = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, content: bytes | dict[str, Any] = b"", status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.fake.requests.append(f"{self.command} {self.path}")
        found = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)/(.+)", self.path)
        if found is None:
            return self.answer({"error": "not a part of this fake"}, 404)
        repository, revision, name = found.groups()
        if repository not in self.fake.repositories:
            return self.answer({}, 401, X_Error_Code="RepoNotFound")
        commit = self.fake.find(repository, revision)
        if commit is None:
            return self.answer({}, 404, X_Error_Code="RevisionNotFound")
        sha, files = commit
        if name not in files:
            return self.answer({}, 404, X_Error_Code="EntryNotFound", X_Repo_Commit=sha)
        etag = f'"{hashlib.sha256(files[name]).hexdigest()}"'
        return self.answer(files[name], X_Repo_Commit=sha, ETag=etag)

    def do_PUT(self) -> None:
        content = self.body()
        oid = self.path.rpartition("/")[2]
        assert hashlib.sha256(content).hexdigest() == oid
        self.fake.uploaded[oid] = content
        self.answer()

    def do_POST(self) -> None:
        self.fake.requests.append(f"POST {self.path}")
        content = self.body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid username or password."}, 401)
        if self.path == "/api/repos/create":
            wanted = json.loads(content)
            repository = "/".join(filter(None, (wanted.get("organization"), wanted["name"])))
            self.fake.repositories.setdefault(repository, [])
            return self.answer({"url": f"{self.fake.url}/{repository}"})
        if self.path == "/api/validate-yaml":
            assert json.loads(content)["content"].startswith("---\n")
            return self.answer({"errors": [], "warnings": []})
        if self.path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(content)["files"]]
            modes = {name: "lfs" if name.endswith((".safetensors", ".png")) else "regular" for name in names}
            files = [{"path": name, "uploadMode": modes[name], "shouldIgnore": False} for name in names]
            return self.answer({"files": files})
        if self.path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.fake.url}/lfs/{one['oid']}"}}}
                for one in json.loads(content)["objects"]
            ]
            return self.answer({"transfer": "basic", "objects": objects})
        found = re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)/commit/main", self.path)
        if found is None:
            return self.answer({"error": "not a part of this fake"}, 404)
        files = {}
        for line in content.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.fake.uploaded[value["oid"]]
        sha = self.fake.commit(found[1], files)
        return self.answer({"commitUrl": f"{self.fake.url}/{found[1]}/commit/{sha}", "commitOid": sha, "success": True})
