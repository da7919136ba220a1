"""What the page shows, and what happens when a visitor touches it."""

import html
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from colorize.album.settings import Settings
from colorize.app.choices import Choices, has_distribution
from colorize.app.limits import MOST_SAMPLES, Limits
from colorize.app.photographs import color_files, look, plan_one, take
from colorize.app.sessions import Sessions
from colorize.errors import ColorizeError
from colorize.weights.shipped import DEFAULT

CSS = ""


def build_page(sessions: Sessions, choices: Choices, limits: Limits) -> gr.Blocks:
    def settings_of(saturation: float, tta: bool, samples: float, uncertainty: bool) -> Settings:
        values = {
            "saturation": saturation,
            "tta": tta,
            "samples": int(samples),
            "uncertainty": uncertainty,
            "max_megapixels": limits.megapixels,
            "overwrite": True,
        }
        return Settings.from_config({**asdict(Settings()), **values, "trainer": {"strategy": "auto"}})

    def color_one(upload, name, weights, saturation, tta, samples, uncertainty, request: gr.Request):
        if upload is None:
            yield None, gr.update(visible=False), gr.update(visible=False), ""
            return
        session = sessions[request.session_hash]
        session.uploads.add(Path(upload))
        try:
            settings = settings_of(saturation, tta, samples, uncertainty)
            colorizer = choices.load(name, Path(weights) if weights else None)
            with sessions.folder(request.session_hash, "one") as folder:
                file = take(Path(upload), folder)
                (folder / "look").mkdir()
                seen = look(file, colorizer, settings, folder / "look")
                yield (
                    (str(seen.before), str(seen.after)),
                    gr.update(visible=bool(seen.others), value=[(str(path), caption) for path, caption in seen.others]),
                    gr.update(visible=True, interactive=False, value=None),
                    say("Writing it at full size ..."),
                )
                rows = []
                job = plan_one(file, settings)
                color_files([job], colorizer, settings, rows.append, session.stop.is_set, limits.seconds)
                yield (
                    gr.skip(),
                    gr.skip(),
                    gr.update(visible=True, interactive=True, value=str(job.output), label=f"Download {job.output.name}"),
                    say("Done."),
                )
        except ColorizeError as error:
            yield None, gr.update(visible=False), gr.update(visible=False), say(str(error), "alert")

    def leave(request: gr.Request) -> None:
        sessions.close(request.session_hash)

    with gr.Blocks(title="colorize", analytics_enabled=False, fill_width=True) as page:
        gr.Markdown("# Colorize photographs")
        with gr.Row():
            with gr.Column(scale=3):
                upload = gr.File(label="A photograph", type="filepath", elem_id="photograph")
                status = gr.HTML(elem_id="status")
                slider = gr.ImageSlider(label="Before and after", interactive=False, buttons=["fullscreen"], elem_id="slider")
                download = gr.DownloadButton("Download", variant="primary", visible=False, elem_id="download")
                others = gr.Gallery(label="Other colourings", visible=False, elem_id="others")
            with gr.Column(scale=1):
                name = gr.Dropdown(choices.names, value=DEFAULT, label="Weights", elem_id="weights")
                weights = gr.File(label="Or a file of weights", file_types=[".ckpt", ".safetensors"], height=100)
                saturation = gr.Slider(0, 3, 1, step=0.05, label="Saturation", elem_id="saturation")
                tta = gr.Checkbox(True, label="Average with the mirror image")
                samples = gr.Slider(0, MOST_SAMPLES, 0, step=1, label="Other colourings")
                uncertainty = gr.Checkbox(False, label="Map of uncertainty")
        inputs = [upload, name, weights, saturation, tta, samples, uncertainty]
        gr.on(
            [upload.change, name.change, weights.change, saturation.release, tta.change, samples.release, uncertainty.change],
            color_one,
            inputs,
            [slider, others, download, status],
            trigger_mode="always_last",
        )
        page.unload(leave)
    return page


def say(text: str, role: str = "status") -> str:
    return f'<p role="{role}">{html.escape(text)}</p>'
