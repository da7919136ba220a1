"""The class that users hold: a trained network that gives colour to photographs at their own size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize.color import fit_gamut, lab_to_rgb, luminance
from colorize.color.upsample import guide, upsample_ab
from colorize.images import Pixels, read_photograph, write_photograph
from colorize.images.photograph import strips, to_8_bit
from colorize.inference.device import choose_device, choose_precision
from colorize.inference.pictures import Picture, as_photograph, as_pil, batch_as_float
from colorize.weights.exported import write_exported
from colorize.weights.loading import load_weights
from colorize.weights.model import Model
from colorize.weights.shipped import DEFAULT

STRIP_MARGIN = 64  # rows above and below a strip that a grayscaling network sees too
LONGEST_ASPECT = 4  # the network sees the sides of a longer photograph smaller


class Colorizer:
    """Gives colour to photographs of any size (or, trained for it, takes it away).

    The network sees the photograph at the size it was trained on. Its ab is enlarged to the photograph along the edges
    of the photograph's luminance, joined with that luminance, and where sRGB cannot show the colour its chroma is
    lowered. A grayscaling network is local and runs over the photograph as it is.

    Args:
        model: a trained network and its target.
        facts: what is known of it; `image_size` is the shorter side of what the network sees, in pixels, `chroma_gain`
            (1 where it is missing) what its ab is multiplied by, to make up for the caution of an averaging network.
        device: "auto" takes a GPU when there is one.
        precision: of the network: "32", "bf16", "16", or "auto", which is bf16 on a GPU that has it. The colour maths
            are always float32.
    """

    def __init__(self, model: Model, facts: Mapping[str, Any], device: str = "auto", precision: str = "auto") -> None:
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        self.target = model.target
        self.network = model.network.to(self.device).eval()
        self.facts = dict(facts)
        self.working_size = int(facts["image_size"])
        self.chroma_gain = float(facts.get("chroma_gain", 1.0))

    @classmethod
    def load(cls, source: Path | str = DEFAULT, device: str = "auto", precision: str = "auto") -> Colorizer:
        """The colorizer of shipped weights, of a run's checkpoint or of an exported file.

        What is in a file is read as data and never run.

        Args:
            source: a name that ships ("photographs", "landscapes", "cifar10"), a run's checkpoints/best.ckpt, or a
                .safetensors file.

        Raises:
            ColorizeError: no such weights, or a file that neither train.py nor `save` wrote.
        """
        model, facts = load_weights(source)
        return cls(model, facts, device, precision)

    def save(self, path: Path | str, dtype: torch.dtype = torch.float16) -> None:
        """Write one .safetensors file: weights, and a JSON header with target, network, image size, data and metrics.

        Raises:
            ColorizeError: as `write_exported`.
        """
        known = ("image_size", "chroma_gain", "data", "epochs", "metrics")
        facts = {key: value for key, value in self.facts.items() if key in known}
        write_exported(Path(path).expanduser(), Model(self.target, self.network), facts, dtype)

    def colorize_file(
        self,
        photograph: Path | str,
        output: Path | str,
        *,
        quality: int = 95,
        saturation: float = 1.0,
        tta: bool = False,
    ) -> None:
        """Write the picture of a photograph's file, in its depth, with all that the file says of it.

        Args:
            photograph: a file of any format that is read.
            output: its suffix names the format; an older file stays until the new one is on the disk.
            quality: 1 to 100, of JPEG, WebP and AVIF.
            saturation, tta: as in `colorize`.

        Raises:
            ImageError: the photograph cannot be read, or the picture cannot be written.
        """
        read = read_photograph(Path(photograph).expanduser())
        write_photograph(
            Path(output).expanduser(), self.render(read.pixels, saturation=saturation, tta=tta), read, quality
        )

    def colorize(
        self, image: Picture, *, saturation: float = 1.0, tta: bool = False, max_megapixels: float | None = 200
    ) -> Image.Image | Tensor:
        """The picture of a photograph, at its size.

        Args:
            image: a file, a PIL image, an array or a tensor: see `as_photograph`. Or a batch of tensors (B, C, H, W)
                with 1 or 3 channels, uint8 or float in [0, 1].
            saturation: factor on ab; 0 is gray.
            tta: average the colours with those of the mirrored photograph.
            max_megapixels: files with more are refused.

        Returns:
            An 8-bit PIL image with the photograph's transparency, colour profile and DPI (`colorize_file` keeps 16 bits
            and all that a file says); for a batch a float32 tensor (B, 3, H, W) in [0, 1] on the batch's device.

        Raises:
            ImageError: the file cannot be read.
            TypeError, ValueError: a picture of another type or shape.
        """
        if isinstance(image, Tensor) and image.ndim == 4:
            return self._batch(image, saturation, tta)
        photograph = as_photograph(image, max_megapixels)
        return as_pil(self.render(photograph.pixels, saturation=saturation, tta=tta), photograph)

    @property
    def at_full_size(self) -> bool:
        """Whether the network runs over the whole photograph; then only `render` and `colorize` are of use."""
        return self.target.at_full_size

    def render(self, pixels: Pixels, *, saturation: float = 1.0, tta: bool = False) -> Pixels:
        """The picture of pixels (H, W) or (H, W, 3), uint8 or uint16, in the same depth: (H, W, 3), or (H, W) from a
        grayscaling network."""
        if self.at_full_size:
            return self._gray(pixels)
        small = self.shrink(pixels)
        return self.merge(pixels, small, self.predict_ab(small[None], tta)[0], saturation)

    def shrink(self, pixels: Pixels) -> Tensor:
        """What the network sees of a photograph: float RGB (3, h, w) in [0, 1], on the CPU.

        Pillow's Lanczos of 8-bit values, as the pictures of the training were resized.
        """
        height, width = self._size(*pixels.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(to_8_bit(pixels)))
        small = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))
        return _to_float(small)[0].expand(3, -1, -1).contiguous()

    @torch.inference_mode()
    def predict_ab(self, small: Tensor, tta: bool = False) -> Tensor:
        """The colours of float RGB (B, 3, h, w): ab of CIE Lab (B, 2, h, w), on the CPU."""
        small = small.to(self.device)
        ab = self._ab(small)
        if tta:
            ab = (ab + self._ab(small.flip(-1)).flip(-1)) / 2
        return ab.cpu()

    @torch.inference_mode()
    def merge(self, pixels: Pixels, small: Tensor, ab: Tensor, saturation: float = 1.0) -> Pixels:
        """The photograph's luminance with the colours of the small picture, (H, W, 3), strip by strip.

        Args:
            pixels: (H, W) or (H, W, 3), uint8 or uint16.
            small: what `shrink` made of them, (3, h, w).
            ab: what `predict_ab` made of that, (2, h, w).
            saturation: factor on ab.
        """
        height, width = pixels.shape[:2]
        white = np.iinfo(pixels.dtype).max
        coefficients = guide(luminance(small[None].to(self.device)), ab[None].to(self.device))
        picture = np.empty((height, width, 3), pixels.dtype)
        for rows in strips(height, width):
            strip = luminance(_to_float(pixels[rows]).to(self.device))
            rgb = _with_colors(strip, upsample_ab(coefficients, strip, rows.start, height) * saturation)
            picture[rows] = (rgb[0].permute(1, 2, 0) * white).round().cpu().numpy()
        return picture

    def _ab(self, small: Tensor) -> Tensor:
        x = self.target.see(small)
        return self.target.to_ab(x, self._predict(x)) * self.chroma_gain

    def _predict(self, x: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.target.predict(self.network, x).float()

    def _size(self, height: int, width: int) -> tuple[int, int]:
        if self.network.image_size is not None:
            return self.network.image_size, self.network.image_size
        scale = min(self.working_size / min(height, width), LONGEST_ASPECT * self.working_size / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    @torch.inference_mode()
    def _batch(self, images: Tensor, saturation: float, tta: bool) -> Tensor:
        rgb = batch_as_float(images).to(self.device)
        if self.at_full_size:
            x = self.target.see(rgb)
            return self.target.to_rgb(x, self._predict(x)).to(images.device)
        small = F.interpolate(rgb, self._size(*rgb.shape[-2:]), mode="bicubic", antialias=True).clamp(0, 1)
        coefficients = guide(luminance(small), self.predict_ab(small, tta).to(self.device))
        full = luminance(rgb)
        return _with_colors(full, upsample_ab(coefficients, full) * saturation).to(images.device)

    @torch.inference_mode()
    def _gray(self, pixels: Pixels) -> Pixels:
        """What a grayscaling network makes of a photograph, (H, W), in strips that see rows of their neighbours."""
        height, width = pixels.shape[:2]
        white = np.iinfo(pixels.dtype).max
        picture = np.empty((height, width), pixels.dtype)
        if self.network.image_size is not None:
            gray = F.interpolate(self._gray_strip(self.shrink(pixels)[None]), (height, width), mode="bilinear")
            picture[:] = (gray[0, 0] * white).round().numpy()
            return picture
        multiple = self.network.multiple
        for rows in strips(height, width):
            first = max(0, rows.start - STRIP_MARGIN) // multiple * multiple  # as its levels divide the whole
            seen = _to_float(pixels[first : rows.stop + STRIP_MARGIN]).expand(-1, 3, -1, -1)
            strip = self._gray_strip(seen)[0, 0, rows.start - first : rows.stop - first]
            picture[rows] = (strip * white).round().numpy()
        return picture

    def _gray_strip(self, rgb: Tensor) -> Tensor:
        x = self.target.see(rgb.to(self.device))
        return self.target.to_rgb(x, self._predict(x))[:, :1].cpu()


def _with_colors(luminance: Tensor, ab: Tensor) -> Tensor:
    """RGB (B, 3, H, W) of L (B, 1, H, W) and ab (B, 2, H, W), which is brought into gamut."""
    return lab_to_rgb(fit_gamut(torch.cat([luminance, ab], dim=1)))


def _to_float(pixels: Pixels) -> Tensor:
    """(H, W) or (H, W, 3) as float32 (1, 1 or 3, H, W) in [0, 1]."""
    values = torch.from_numpy(pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max))
    return values[None, None] if values.ndim == 2 else values.permute(2, 0, 1)[None]
