"""Pages to test: parts of one without Gradio, a real server, a real browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from colorize.app.choices import Choices
from colorize.app.limits import Limits
from colorize.app.sessions import Sessions
from colorize.app.studio import Studio
from colorize.images import write_photograph
from colorize.inference.colorizer import Colorizer
from colorize.scenery import render_scenes

REPO = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300  # seconds, of a machine that does other things too


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests in a browser are for those who ask for them, whatever else -m says."""
    if "browser" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("browser")]


@dataclass(frozen=True)
class Page:
    """A running page: its address, its process, and the folder in which it makes its own."""

    url: str
    process: "subprocess.Popen[str]"
    temporary: Path

    def end(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


Serve = Callable[..., Page]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts colorize-app with these arguments, on a free port."""
    started: list[subprocess.Popen[str]] = []
    folders = []

    def start(*arguments: str | Path) -> Page:
        temporary = Path(tempfile.mkdtemp(prefix="app-"))  # below the system's, as Gradio has it
        folders.append(temporary)
        process = subprocess.Popen(
            [sys.executable, "-m", "colorize.app", "--port", "0", "--device", "cpu", *map(str, arguments)],
            cwd=REPO,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        found = re.match(r"colorize-app: (http://127\.0\.0\.1:\d+) ", process.stdout.readline())
        assert found is not None, process.wait(PATIENCE)
        return Page(found[1], process, temporary)

    yield start
    for process in started:
        process.kill()
        process.wait()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def page(serve: Serve) -> Page:
    """A page for all tests that leave it as it was."""
    return serve("--max-megapixels", "1", "--max-megabytes", "3")


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten gray JPEGs of painted scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    paths = []
    for number, scene in enumerate(render_scenes(range(10), 240, seed=3)):
        paths.append(folder / f"scene {number}.jpg")
        write_photograph(paths[-1], cv2.cvtColor(scene[: 200 - number], cv2.COLOR_RGB2GRAY))
    return paths


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser without a window, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        own = playwright.chromium.executable_path
        if found is None and not Path(own).exists():
            pytest.fail("There is no browser: install Debian's chromium, or run playwright install chromium.")
        browser = playwright.chromium.launch(
            executable_path=found or own, args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        yield browser
        browser.close()


@pytest.fixture
def make_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Studio]:
    """Studios over `tmp_path/files` whose weights are all one colorizer."""

    def make(colorizer: Colorizer, **limits: Any) -> Studio:
        (tmp_path / "files").mkdir(exist_ok=True)
        choices = Choices({})
        monkeypatch.setattr(choices, "load", lambda name, file=None: colorizer)
        return Studio(Sessions(tmp_path / "files"), choices, Limits(**limits))

    return make
