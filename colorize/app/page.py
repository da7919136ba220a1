"""What the page shows, and what happens when a visitor touches it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from colorize.app.choices import describe, has_distribution
from colorize.app.limits import MOST_SAMPLES
from colorize.app.runs import Runs
from colorize.app.runs_page import RunsPart
from colorize.app.studio import Asked, Studio, say
from colorize.errors import ColorizeError

TITLE = "Colour for photographs"
CONCURRENT = 2  # works at a time, of all visitors
WAITING = 64
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
WORK: dict[str, Any] = {**PRIVATE, "concurrency_limit": CONCURRENT, "concurrency_id": "work"}


def build_page(studio: Studio, runs: Runs | None) -> gr.Blocks:
    """The page, with a part for looking at runs where there are some."""
    page = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 12 * 3600))
    with page:
        gr.Markdown(f"# {TITLE}\nThey stay on the machine that shows this page, until you close it.")
        with gr.Row():
            with gr.Column(scale=3, min_width=320), gr.Tabs(selected="runs" if runs else "one") as tabs:
                with gr.Tab("One photograph", id="one"):
                    one = _One()
                with gr.Tab("Several", id="several"):
                    several = _Several()
                if runs:
                    with gr.Tab("Runs", id="runs"):
                        runs_part = RunsPart(runs)
            with gr.Column(scale=1, min_width=280):
                controls = _Controls(studio)
        if runs:
            runs_part.wire()
            runs_part.attempt.click(
                lambda run: (run, None, gr.Tabs(selected="one")),
                runs_part.chosen,
                [controls.weights, controls.file, tabs],
                **PRIVATE,
            )
        one.wire(studio, controls)
        several.wire(studio, controls)
        controls.wire(studio)
        _close_with(page, studio)
    page.queue(max_size=WAITING, api_open=False, default_concurrency_limit=CONCURRENT)
    return page


def _close_with(page: gr.Blocks, studio: Studio) -> None:
    def leave(request: gr.Request) -> None:
        studio.sessions.close(_name(request))

    page.unload(leave)


def _name(request: gr.Request) -> str:
    """The open page that a request is of."""
    return str(request.session_hash)


def _remember(studio: Studio, request: gr.Request, *uploads: str | None) -> None:
    """That these files were sent by that page, so that they are removed when it is closed."""
    studio.sessions.add_uploads(_name(request), [Path(upload) for upload in uploads if upload])


def _spoken(name: str, value: str = "") -> gr.Markdown:
    """A place for what `say` makes, which is HTML: Gradio's own for that evaluates text as JavaScript."""
    return gr.Markdown(value, elem_id=name, sanitize_html=False, latex_delimiters=[])


class _Controls:
    """How photographs become pictures."""

    def __init__(self, studio: Studio) -> None:
        choices = studio.choices
        first = choices.load(choices.default)
        several = has_distribution(first)
        self.weights = gr.Dropdown(
            choices.names, value=choices.default, label="Weights", elem_id="weights", filterable=False
        )
        self.saturation = gr.Slider(0, 3, 1, step=0.05, label="Saturation", info="0 is gray", elem_id="saturation")
        self.tta = gr.Checkbox(
            True, label="Average with the mirror image", info="steadier, twice the work", elem_id="tta"
        )
        self.samples = gr.Slider(
            0, MOST_SAMPLES, 0, step=1, label="Other plausible colourings", visible=several, elem_id="samples"
        )
        self.uncertainty = gr.Checkbox(
            False, label="Map of how unsure the colours are", visible=several, elem_id="uncertainty"
        )
        with gr.Accordion("Weights of your own", open=False):
            self.file = gr.File(label="A .ckpt or .safetensors file", height=140, elem_id="weights-file")
        self.facts = _spoken("facts", say(*describe(first)))

    @property
    def all(self) -> list[Any]:
        return [self.weights, self.file, self.saturation, self.tta, self.samples, self.uncertainty]

    def wire(self, studio: Studio) -> None:
        def show(request: gr.Request, weights: str, file: str | None) -> tuple[Any, ...]:
            _remember(studio, request, file)
            try:
                colorizer, _ = studio.prepare(Asked(weights, file, 1.0, True, 0, False))
            except ColorizeError as error:
                return (*(gr.update() for _ in range(4)), say(studio.plain(str(error)), role="alert"))
            colors, several = not colorizer.at_full_size, has_distribution(colorizer)
            visible = [gr.update(visible=shown) for shown in (colors, colors, several, several)]
            return (*visible, say(*describe(colorizer)))

        gr.on(
            [self.weights.change, self.file.change],
            show,
            [self.weights, self.file],
            [self.saturation, self.tta, self.samples, self.uncertainty, self.facts],
            **PRIVATE,
            show_progress="hidden",
        )


class _One:
    """One photograph: before and after, its files, and what else the weights give."""

    def __init__(self) -> None:
        self.upload = gr.File(label="Photograph", elem_id="photograph", height=140)
        self.status = _spoken("status")
        self.slider = gr.ImageSlider(
            label="Before and after", interactive=False, buttons=["fullscreen"], visible=False, elem_id="slider"
        )
        self.download = gr.DownloadButton("Download", variant="primary", visible=False, elem_id="download")
        self.gallery = gr.Gallery(
            label="Other colourings", visible=False, buttons=["fullscreen"], interactive=False, elem_id="others"
        )
        self.files = gr.File(label="All files", interactive=False, visible=False, elem_id="files")

    def wire(self, studio: Studio, controls: _Controls) -> None:
        def color(request: gr.Request, upload: str | None, *controls: Any) -> Iterator[Any]:
            gone = gr.update(visible=False, value=None)
            _remember(studio, request, upload)
            if upload is None:
                yield "", gone, gone, gone, gone
                return
            try:
                for seen, job in studio.color_one(_name(request), Path(upload), Asked(*controls)):
                    if job is None:
                        slider = gr.update(visible=True, value=(str(seen.before), str(seen.after)))
                        shown = [(str(path), caption) for path, caption in seen.others]
                        gallery = gr.update(visible=bool(shown), value=shown)
                        waiting = gr.update(visible=True, interactive=False, value=None)
                        yield say(f"{seen.facts}; writing the picture ..."), slider, waiting, gallery, gone
                    else:
                        files = [str(path) for path in reversed(job.pictures)]
                        ready = gr.update(
                            visible=True, interactive=True, value=files[0], label=f"Download {job.output.name}"
                        )
                        others = gr.update(visible=True, value=files) if len(files) > 1 else gone
                        yield say(f"{seen.facts}; ready to download."), gr.skip(), ready, gr.skip(), others
            except ColorizeError as error:
                yield say(studio.plain(str(error)), role="alert"), gone, gone, gone, gone

        gr.on(
            [
                self.upload.change,
                controls.weights.change,
                controls.file.change,
                controls.saturation.change,
                controls.tta.change,
                controls.samples.change,
                controls.uncertainty.change,
            ],
            color,
            [self.upload, *controls.all],
            [self.status, self.slider, self.download, self.gallery, self.files],
            trigger_mode="always_last",
            **WORK,
        )


class _Several:
    """Several photographs: a gallery and one archive."""

    def __init__(self) -> None:
        self.uploads = gr.File(label="Photographs", file_count="multiple", elem_id="photographs", height=240)
        with gr.Row():
            self.start = gr.Button("Colour them", variant="primary", elem_id="start")
            self.stop = gr.Button("Stop", elem_id="stop")
        self.status = _spoken("album-status", say(""))
        self.download = gr.DownloadButton("Download all", variant="primary", visible=False, elem_id="archive")
        self.gallery = gr.Gallery(
            label="In colour", visible=False, buttons=["fullscreen"], interactive=False, columns=4, elem_id="album"
        )

    def wire(self, studio: Studio, controls: _Controls) -> None:
        def color(
            request: gr.Request,
            progress: gr.Progress = gr.Progress(),  # noqa: B008 # which Gradio replaces, by its place
            uploads: list[str] | None = None,
            *controls: Any,
        ) -> tuple[Any, ...]:
            gone = gr.update(visible=False, value=None)
            if not uploads:
                return say("Choose some photographs first.", role="alert"), gone, gone
            try:
                album = studio.color_several(
                    _name(request),
                    [Path(upload) for upload in uploads],
                    Asked(*controls),
                    lambda done, total: progress((done, total), desc="Colouring", unit="photographs"),
                )
            except ColorizeError as error:
                return say(studio.plain(str(error)), role="alert"), gone, gone
            sentences = [f"{len(album.thumbnails)} of {len(uploads)} photographs are in colour."]
            if album.left:
                sentences.append(f"{album.left} were left: it was stopped, or took too long.")
            shown = [(str(path), name) for path, name in album.thumbnails]
            archive = str(album.archive) if album.archive else None
            return (
                say(*sentences, *album.failed, role="alert" if album.failed else "status"),
                gr.update(visible=archive is not None, value=archive, label=f"Download all {len(shown)} as one zip"),
                gr.update(visible=bool(shown), value=shown),
            )

        def remember(request: gr.Request, uploads: list[str] | None) -> None:
            _remember(studio, request, *uploads or [])

        def stop(request: gr.Request) -> None:
            studio.sessions.stop(_name(request), "several")

        self.start.click(
            color,
            [self.uploads, *controls.all],
            [self.status, self.download, self.gallery],
            trigger_mode="once",
            show_progress_on=self.status,
            **WORK,
        )
        at_once: dict[str, Any] = {**PRIVATE, "queue": False, "show_progress": "hidden"}
        self.uploads.change(remember, self.uploads, **at_once)
        self.stop.click(stop, **at_once)
