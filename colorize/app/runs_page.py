"""The part of the page for looking at runs."""

from pathlib import Path
from typing import Any

import gradio as gr

from colorize.app.runs import Runs


class RunsPart:
    """Curves, samples and figures of one run at a time, and the comparison of all.

    Attributes:
        chosen: the run that is looked at.
        attempt: a button that takes its best checkpoint for photographs.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        first = next(iter(runs.views))
        about, curves, samples, has_checkpoint = self._parts(first)
        self.chosen = gr.Dropdown(list(runs.views), value=first, label="Run", filterable=False, elem_id="run")
        self._about = gr.Markdown(about, elem_id="about-run")
        self.attempt = gr.Button(
            "Try its best checkpoint on a photograph", variant="primary", interactive=has_checkpoint, elem_id="try"
        )
        self._curves = _picture("Curves", curves, "curves")
        self._samples = _picture("Samples: input, prediction, truth", samples, "samples-of-run")
        gr.Markdown(f"## Comparison\n\n{runs.comparison}", elem_id="comparison")
        _picture("The same test pictures by every run", runs.picture, "comparison-picture", show_label=False)

    def wire(self) -> None:
        def show(name: str) -> tuple[Any, ...]:
            about, curves, samples, has_checkpoint = self._parts(name)
            pictures = (gr.update(value=path and str(path), visible=path is not None) for path in (curves, samples))
            return (about, *pictures, gr.update(interactive=has_checkpoint))

        self.chosen.change(
            show, self.chosen, [self._about, self._curves, self._samples, self.attempt], api_visibility="private"
        )

    def _parts(self, name: str) -> tuple[str, Path | None, Path | None, bool]:
        run = self._runs.views[name]
        return run.about, run.curves, run.samples, run.checkpoint is not None


def _picture(label: str, path: Path | None, name: str, show_label: bool = True) -> gr.Image:
    return gr.Image(
        str(path) if path else None,
        label=label,
        show_label=show_label,
        type="filepath",
        interactive=False,
        visible=path is not None,
        buttons=["fullscreen"],
        elem_id=name,
    )
