"""The page of a repository: what the weights are, written from what is known of them."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from colorize.images import Pixels
from colorize.scenery import render_scenes

SHEET = "samples.png"
SCENES = (2, 5, 9, 12, 17, 21)
_SHOWN = ("mse", "psnr", "psnr_per_image", "ssim", "mse_ratio", "delta_e", "colorfulness_ratio")


def model_card(repository: str, header: Mapping[str, Any], license: str | None = None) -> str:
    """The README.md of a repository.

    Args:
        repository: USER/NAME.
        header: of the weights' file: target, network, `image_size`, and what there is of `data`, `epochs`, `metrics`.
        license: of the weights, by the Hub's short name; None leaves it out.
    """
    network, target = (header[key] for key in ("network", "target"))
    arguments = ", ".join(f"{key} {value}" for key, value in network.items() if key != "name")
    facts = [
        f"**Network**: {network['name']} ({arguments}), {target['name']}; it sees photographs at "
        f"{header['image_size']} pixels, chroma_gain {header.get('chroma_gain', 1.0):g}, "
        f"cast_gain {header.get('cast_gain', 1.0):g}."
    ]
    data = header.get("data")
    if isinstance(data, Mapping) and data:
        facts.append(f"**Data**: {', '.join(f'{key} {_plain(value)}' for key, value in data.items())}.")
    if header.get("epochs"):
        facts.append(f"**Training**: {header['epochs']} epochs.")
    hub = header.get("hub")
    if isinstance(hub, Mapping):
        facts.append(f"**Made from**: hf://{hub.get('repository')}@{hub.get('revision')}.")
    front = ["library_name: colorize", "pipeline_tag: image-to-image", "tags: [image-colorization]"]
    if license is not None:
        front.insert(0, f"license: {json.dumps(license)}")
    name = repository.partition("/")[2]
    return "\n".join(
        [
            "---", *front, "---", "", f"# {name}", "",
            f"Weights of colorize {header.get('version', '')} that give colour to photographs.",
            "", f"![input, output and truth of painted scenes]({SHEET})", "",
            "*Painted scenes: input, output, truth.*", "",
            "```python", "from colorize import Colorizer", "",
            f'colorizer = Colorizer.from_pretrained("{repository}")  # revision="COMMIT" pins it',
            'colorizer.colorize("photo.jpg").save("photo_colorized.jpg")', "```", "",
            f"Or `python predict.py checkpoint=hf://{repository} input=photo.jpg`.", "",
            *(line for fact in facts for line in (fact, "")), *_figures(header.get("metrics")),
        ]
    )  # fmt: skip


def contact_sheet(color: Callable[[Pixels], Pixels], sees_color: bool, size: int) -> bytes:
    """A PNG of painted scenes, a column each: what the network is given, what it makes of that, the truth.

    Args:
        color: the picture (H, W) or (H, W, 3) of pixels (H, W, 3), all uint8.
        sees_color: whether it is given the scene itself, else its Rec.601 gray.
        size: side of each picture.
    """
    columns = []
    for scene in render_scenes(SCENES, size):
        gray = np.asarray(Image.fromarray(scene).convert("L").convert("RGB"))
        shown = scene if sees_color else gray
        made = np.asarray(Image.fromarray(color(shown)).convert("RGB"))
        columns.append(np.concatenate([shown, made, scene]))
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(columns, axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


def _figures(metrics: object) -> list[str]:
    """A table of the test's metrics beside the gray floor's."""
    if not isinstance(metrics, Mapping):
        return ["No figures are known of these weights.", ""]
    shown = [name for name in _SHOWN if f"test/{name}" in metrics]
    rows = [
        [title, *(f"{metrics[key]:.4g}" if (key := f"{split}/{name}") in metrics else "" for name in shown)]
        for title, split in (("gray floor", "floor"), ("these weights", "test"))
    ]
    count = f" ({metrics['n_images']} pictures)" if "n_images" in metrics else ""
    table = [["", *shown], ["---"] * (len(shown) + 1), *rows]
    return [
        f"**Figures** of the test{count}; the gray floor is what doing nothing gives:",
        "",
        *(f"| {' | '.join(row)} |" for row in table),
        "",
    ]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
