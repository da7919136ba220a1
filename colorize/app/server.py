"""The page as a server on one port, whose files are gone when it ends."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from colorize.app.limits import Limits
from colorize.errors import ColorizeError, MissingExtraError

HERE = Path(__file__).parent
LAST_SECONDS = 5  # that open answers have when it ends


def serve(folders: Sequence[Path], host: str, port: int, limits: Limits, device: str, precision: str) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        folders: of runs and sweeps to look at.
        host: the address to listen to.
        port: 0 for any that is free.
        limits: of each visitor.
        device, precision: as those of `Colorizer`.

    Raises:
        ColorizeError: the address cannot be listened to, a folder is of no run, or as `Colorizer.load`.
    """
    with (
        _sigterm_ends(),
        _listen(host, port) as listening,
        tempfile.TemporaryDirectory(prefix="colorize-app-") as temporary,
    ):
        files = Path(temporary, "files")
        files.mkdir()
        app = make_app(folders, files, host, limits, device, precision)
        address = f"[{host}]" if ":" in host else host
        print(f"colorize-app: http://{address}:{listening.getsockname()[1]} (Ctrl-C ends it)", flush=True)
        import uvicorn

        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=LAST_SECONDS, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


def make_app(
    folders: Sequence[Path], files: Path, host: str, limits: Limits, device: str = "auto", precision: str = "auto"
) -> Any:
    """The page as an ASGI application, for one process: Gradio knows one folder of files.

    Args:
        files: a folder for all files that it writes, in a folder that is its own too.
        folders, host, limits, device, precision: as of `serve`.

    Raises:
        ColorizeError: as `serve`.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(files)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # of the package that Gradio would report by
    try:
        import gradio as gr
    except ImportError as error:
        raise MissingExtraError("The page needs Gradio: pip install 'colorize[app]'.") from error
    from fastapi import FastAPI

    from colorize.app.choices import Choices
    from colorize.app.guard import Guard
    from colorize.app.page import build_page
    from colorize.app.sessions import Sessions
    from colorize.app.studio import Studio

    runs = None
    if folders:
        from colorize.app.runs import open_runs

        runs = open_runs(folders, files.parent / "runs")
    choices = Choices(runs.checkpoints if runs else {}, device, precision)
    page = build_page(Studio(Sessions(files), choices, limits), runs)
    page.has_launched = True  # only then Gradio refuses files that nobody sent; mounted, it does not say so itself
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app,
        page,
        "/",
        footer_links=[],
        run_history=False,
        show_error=False,
        allowed_paths=[],
        blocked_paths=[],
        max_file_size=round(limits.megabytes * 1e6),
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=HERE / "style.css",
        head=f"<script>{(HERE / 'keys.js').read_text(encoding='utf-8')}</script>",
    )
    return Guard(app, files, host, limits.gigabytes * 1e9)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ColorizeError(
            f"{host}:{port} cannot be listened to ({reason}): give another --port or --host."
        ) from error


@contextmanager
def _sigterm_ends() -> Iterator[None]:
    """SIGTERM, which uvicorn raises again when it has ended, raises SystemExit within."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
