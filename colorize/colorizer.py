"""What users hold: a trained network that takes a photograph and gives the picture back at its own size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.errors import ColorizeError
from colorize.images import Pixels, read_photograph
from colorize.tasks import GrayscaleTask
from colorize.tasks.base import Task
from colorize.tasks.checkpoint import load_task

STRIP_ROWS = 512
STRIP_MARGIN = 64
LONGEST_ASPECT = 4


class Colorizer:
    """Gives colour to photographs of any size (or, trained for it, takes it away).

    The network sees the photograph at the size it was trained on; its ab is enlarged to the photograph and joined
    with the photograph's own luminance. A grayscaling network is local and runs over the photograph as it is.

    Args:
        task: a trained task.
        working_size: the shorter side of what the network sees, in pixels.
        device: where to run; "auto" takes a GPU when there is one.
    """

    def __init__(self, task: Task, working_size: int, device: str = "auto") -> None:
        self.device = choose_device(device)
        self.task = task.to(self.device).eval()
        self.working_size = working_size

    @classmethod
    def load(cls, checkpoint: Path | str, device: str = "auto") -> Colorizer:
        """The colorizer of a run's checkpoint; what is in the file is read as data and never run.

        Raises:
            ColorizeError: the file is missing, or is not a checkpoint that train.py wrote.
        """
        task, config = load_task(Path(checkpoint))
        try:
            working_size = int(config["data"]["image_size"])
        except (KeyError, TypeError, ValueError) as error:
            raise ColorizeError(f"{checkpoint} does not say the image size it was trained on.") from error
        return cls(task, working_size, device)

    @torch.inference_mode()
    def colorize(self, photograph: Path | str | Pixels) -> Pixels:
        """The picture of a photograph: same height, width and bit depth.

        Args:
            photograph: a file, or pixels (H, W) or (H, W, 3), uint8 or uint16.

        Returns:
            (H, W, 3) RGB, or (H, W) from a grayscaling network.

        Raises:
            ImageError: the file cannot be read.
        """
        pixels: Any = photograph if isinstance(photograph, np.ndarray) else read_photograph(Path(photograph)).pixels
        white = np.iinfo(pixels.dtype).max
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        rgb = torch.from_numpy(pixels.astype(np.float32) / white).permute(2, 0, 1)[None]
        if isinstance(self.task, GrayscaleTask) and not hasattr(self.task.network, "image_size"):
            picture = self._over_strips(rgb)[:, :1]
        elif isinstance(self.task, GrayscaleTask):
            picture = F.interpolate(self._at_working_size(rgb), rgb.shape[-2:], mode="bilinear")[:, :1]
        else:
            picture = self._with_own_luminance(rgb, self._at_working_size(rgb))
        quantized: Pixels = (picture[0].permute(1, 2, 0) * white).round().numpy().astype(pixels.dtype)
        return quantized[..., 0] if quantized.shape[-1] == 1 else quantized

    def _picture(self, rgb: Tensor) -> Tensor:
        """What the network makes of float RGB (1, 3, h, w), at that size, on the CPU."""
        x, _ = self.task.pair({"rgb": rgb.to(self.device)})
        return self.task.to_rgb(x, self.task(x)).float().cpu()

    def _at_working_size(self, rgb: Tensor) -> Tensor:
        height, width = rgb.shape[-2:]
        fixed = getattr(self.task.network, "image_size", None)
        if fixed is not None:
            size = (int(fixed), int(fixed))
        else:
            scale = min(self.working_size / min(height, width), LONGEST_ASPECT * self.working_size / max(height, width))
            size = (max(1, round(height * scale)), max(1, round(width * scale)))
        return self._picture(F.interpolate(rgb, size, mode="bilinear", antialias=True).clamp(0, 1))

    def _with_own_luminance(self, rgb: Tensor, picture: Tensor) -> Tensor:
        """The photograph's L with the ab of a smaller picture, (1, 3, H, W), strip by strip to spare memory."""
        ab = F.interpolate(rgb_to_lab(picture)[:, 1:], rgb.shape[-2:], mode="bilinear")
        strips = zip(torch.split(rgb, STRIP_ROWS, dim=2), torch.split(ab, STRIP_ROWS, dim=2), strict=True)
        return torch.cat([lab_to_rgb(torch.cat([rgb_to_lab(a)[:, :1], b], dim=1)) for a, b in strips], dim=2)

    def _over_strips(self, rgb: Tensor) -> Tensor:
        """The network over the photograph at full size, in strips that see `STRIP_MARGIN` rows of their neighbours."""
        strips = []
        for top in range(0, rgb.shape[2], STRIP_ROWS):
            first = max(0, top - STRIP_MARGIN)
            strip = self._picture(rgb[:, :, first : top + STRIP_ROWS + STRIP_MARGIN])
            strips.append(strip[:, :, top - first : top - first + STRIP_ROWS])
        return torch.cat(strips, dim=2)


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is cuda, then mps, then cpu.

    Raises:
        ColorizeError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ColorizeError(f"device={name} is not to be had here: use device=auto or device=cpu.") from error
    return torch.device(name)
