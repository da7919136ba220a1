"""The page as a server on one port, whose files are gone when it ends."""

import os
import socket
import tempfile
from pathlib import Path

from colorize.app.limits import Limits
from colorize.errors import ColorizeError


def serve(host: str, port: int, limits: Limits) -> None:
    """Serve the page until Ctrl-C or SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="colorize-app-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["HF_HUB_OFFLINE"] = "1"
        import gradio as gr
        import uvicorn
        from fastapi import FastAPI

        from colorize.app.choices import Choices
        from colorize.app.page import CSS, build_page
        from colorize.app.sessions import Sessions

        page = build_page(Sessions(Path(folder)), Choices({}), limits)
        page.has_launched = True
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        gr.mount_gradio_app(
            app,
            page,
            "/",
            footer_links=[],
            run_history=False,
            show_error=False,
            max_file_size=int(limits.megabytes * 1e6),
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            pwa=False,
            css=CSS,
            theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        )
        config = uvicorn.Config(app, host, port, log_level="warning", timeout_graceful_shutdown=3)
        try:
            sock = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise ColorizeError(f"{host}:{port} cannot be opened ({error.strerror}): give another --port or --host.") from error
        print(f"colorize-app: http://{host}:{sock.getsockname()[1]} (Ctrl-C ends it)", flush=True)
        uvicorn.Server(config).run(sockets=[sock])
