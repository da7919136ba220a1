"""A trained network over pixels: what it sees of a photograph, the colours it predicts, and their way to full size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize.images import Photograph, Pixels, Planes, takes_planes
from colorize.images.photograph import strips, to_8_bit
from colorize.inference.colors import Colors, apply_gains, check_distribution, decode_colors
from colorize.inference.device import choose_device, choose_precision
from colorize.inference.merge import can_halve, merge_batch, merge_pixels, merge_planes, pixels_as_float
from colorize.networks.fold import cast_weights, fold_batch_norms
from colorize.targets import LabTarget, RGBTarget
from colorize.weights.model import Model

STRIP_MARGIN = 64  # rows above and below a strip that a grayscaling network sees too
MOST_ON_A_CPU = 4  # photographs at once, whose features stay near its cache
MOST_SATURATION = 1e6  # at which colours are at the edge of sRGB anyway; far more would overflow float32
LONGEST_ASPECT = 4  # the network sees the sides of a longer photograph smaller


class Renderer:
    """Arrays of pixels in, arrays of pixels out; `Colorizer` is the same for files and pictures of all kinds.

    Args:
        model: a trained network and its target; its weights are taken as they are now.
        facts: what is known of it; `image_size` is the shorter side of what the network sees, in pixels, `chroma_gain`
            and `cast_gain` (1 where they are missing) what its ab is multiplied by to make up for the caution of an
            averaging network, see `apply_gains`, `tta_scale` (likewise) how large, of that side, it sees the mirror
            image.
        device: "auto" takes a GPU when there is one.
        precision: of the network: "32", "bf16", "16", or "auto", which is bf16 on a GPU or a CPU that has it. The
            colour maths are always float32.
    """

    def __init__(self, model: Model, facts: Mapping[str, Any], device: str = "auto", precision: str = "auto") -> None:
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        self.target = model.target
        self.network = model.network.to(self.device).eval()
        self._folded = cast_weights(fold_batch_norms(self.network), self.dtype)
        self.facts = dict(facts)
        self.working_size = int(facts["image_size"])
        self.chroma_gain = float(facts.get("chroma_gain", 1.0))
        self.cast_gain = float(facts.get("cast_gain", 1.0))
        self.tta_scale = float(facts.get("tta_scale", 1.0))

    @property
    def at_full_size(self) -> bool:
        """Whether the network runs over the whole photograph; then only `render` and `colorize` are of use."""
        return self.target.at_full_size

    def render(
        self, pixels: Pixels, *, saturation: float = 1.0, tta: bool = True, temperature: float | None = None
    ) -> Pixels:
        """The picture of pixels (H, W) or (H, W, 3), uint8 or uint16, in the same depth: (H, W, 3), or (H, W) from a
        grayscaling network. The rest is as in `colorize`.

        Raises:
            ValueError: pixels of another type or shape, or a saturation that is not finite.
        """
        known = pixels.dtype in (np.uint8, np.uint16) and pixels.ndim >= 2 and pixels.shape[2:] in ((), (3,))
        if not known or pixels.size == 0:
            raise ValueError(
                f"Pixels must be uint8 or uint16, (H, W) or (H, W, 3), but are {pixels.dtype} {pixels.shape}."
            )
        if self.at_full_size:
            check_distribution(self.target, temperature)
            return self._gray(pixels)
        small = self.shrink(pixels)
        return self.merge(pixels, small, self.predict_ab(small[None], tta, temperature)[0], saturation)

    def shrink(self, pixels: Pixels) -> Tensor:
        """What the network sees of a photograph: float RGB (3, h, w) in [0, 1], on the CPU.

        Pillow's Lanczos of 8-bit values, as the pictures of the training were resized.
        """
        height, width = self.small_size(*pixels.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(to_8_bit(pixels)))
        small = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))
        return pixels_as_float(small)[0].expand(3, -1, -1).contiguous()

    def predict_ab(self, small: Tensor, tta: bool = False, temperature: float | None = None) -> Tensor:
        """The colours of float RGB (B, 3, h, w): ab of CIE Lab (B, 2, h, w), on the CPU."""
        return self.predict_colors(small, tta=tta, temperature=temperature).ab

    @torch.inference_mode()
    def predict_colors(
        self,
        small: Tensor,
        *,
        tta: bool = False,
        temperature: float | None = None,
        samples: int = 0,
        uncertainty: bool = False,
    ) -> Colors:
        """The colours of float RGB (B, 3, h, w), with other plausible ones and their uncertainty, on the CPU.

        Raises:
            ColorizeError: as `check_distribution`.
        """
        check_distribution(self.target, temperature, samples, uncertainty)
        small = small.to(self.device)
        at_once = MOST_ON_A_CPU if self.device.type == "cpu" else len(small)
        predict = self._colors_with_mirror if tta else self._colors
        parts = [predict(part, temperature, samples, uncertainty) for part in torch.split(small, at_once)]
        return parts[0].map(lambda *values: torch.cat(values).cpu(), *parts[1:])

    def merge(self, pixels: Pixels, small: Tensor, ab: Tensor, saturation: float = 1.0) -> Pixels:
        """The photograph's gray with the colours of the small picture, ab times `saturation`: `merge_pixels`."""
        return merge_pixels(pixels, small, _times(ab, saturation))

    def merge_for(
        self, path: Path, photograph: Photograph, small: Tensor, ab: Tensor, saturation: float = 1.0
    ) -> Pixels | Planes:
        """The same for a file: as planes, where those are all that it holds of it, see `merge_planes`."""
        if takes_planes(path, photograph) and can_halve(photograph.pixels, small):
            return merge_planes(photograph.pixels.astype(np.uint8, copy=False), small, _times(ab, saturation))
        return self.merge(photograph.pixels, small, ab, saturation)

    @property
    def needs_color(self) -> bool:
        """Whether more than the Rec.601 gray of a photograph goes into its picture."""
        sees_gray = isinstance(self.target, LabTarget) and self.target.luminance == "gray"
        return not (sees_gray or type(self.target) is RGBTarget)

    @torch.inference_mode()
    def render_batch(self, rgb: Tensor, saturation: float, tta: bool, temperature: float | None) -> Tensor:
        """The pictures of float RGB (B, 3, H, W) in [0, 1], in the same form, on the colorizer's device."""
        rgb = rgb.to(self.device)
        if self.at_full_size and self.network.image_size is None:
            return self._gray_pictures(rgb)
        small = F.interpolate(rgb, self.small_size(*rgb.shape[-2:]), mode="bicubic", antialias=True).clamp(0, 1)
        if self.at_full_size:
            return F.interpolate(self._gray_pictures(small), rgb.shape[-2:], mode="bilinear")
        ab = self.predict_ab(small, tta, temperature).to(self.device)
        return merge_batch(rgb, small, _times(ab, saturation))

    def _colors_with_mirror(self, small: Tensor, *asked: Any) -> Colors:
        """The mean of the colours of pictures and of their mirror images, seen at `tta_scale` times their size."""
        if self.tta_scale == 1:  # all in one batch
            both = self._colors(torch.cat([small, small.flip(-1)]), *asked)
            return both.map(lambda values: _mean(*values.chunk(2)))
        mirrored = self._colors(_resize(small.flip(-1), self.tta_scale), *asked)
        return self._colors(small, *asked).map(_mean, mirrored)

    def _colors(self, small: Tensor, temperature: float | None, samples: int, uncertainty: bool) -> Colors:
        x = self.target.see(small)
        colors = decode_colors(self.target, x, self._predict(x), temperature, samples, uncertainty)
        gains = self.chroma_gain, self.cast_gain
        return replace(colors, ab=apply_gains(colors.ab, *gains), samples=apply_gains(colors.samples, *gains))

    def _predict(self, x: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.target.predict(self._folded, x)

    def small_size(self, height: int, width: int) -> tuple[int, int]:
        """(h, w) of what the network sees of a photograph of that size."""
        if self.network.image_size is not None:
            return self.network.image_size, self.network.image_size
        scale = min(self.working_size / min(height, width), LONGEST_ASPECT * self.working_size / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

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
            seen = pixels_as_float(pixels[first : rows.stop + STRIP_MARGIN]).expand(-1, 3, -1, -1)
            strip = self._gray_strip(seen)[0, 0, rows.start - first : rows.stop - first]
            picture[rows] = (strip * white).round().numpy()
        return picture

    def _gray_strip(self, rgb: Tensor) -> Tensor:
        return self._gray_pictures(rgb.to(self.device))[:, :1].cpu()

    def _gray_pictures(self, rgb: Tensor) -> Tensor:
        """What a grayscaling network makes of float RGB (B, 3, H, W), at the size that it is shown: (B, 3, H, W)."""
        x = self.target.see(rgb)
        return self.target.to_rgb(x, self._predict(x).float())


def _times(ab: Tensor, saturation: float) -> Tensor:
    if not math.isfinite(saturation):
        raise ValueError(f"saturation is {saturation}, but must be a finite number.")
    return ab * max(-MOST_SATURATION, min(saturation, MOST_SATURATION))


def _resize(rgb: Tensor, scale: float) -> Tensor:
    """Float RGB (B, 3, h, w) in [0, 1], at `scale` times its height and width."""
    size = [max(1, round(side * scale)) for side in rgb.shape[2:]]
    return F.interpolate(rgb, size, mode="bicubic", antialias=True).clamp(0, 1)


def _mean(one: Tensor, mirrored: Tensor) -> Tensor:
    """The mean of (B, ..., h, w) and what was seen of the mirror image, at another size perhaps."""
    if not one.numel():  # no samples
        return one
    other = mirrored.flip(-1)
    if other.shape[-2:] != one.shape[-2:]:
        other = F.interpolate(other.flatten(1, -3), one.shape[-2:], mode="bilinear").view(one.shape)
    return (one + other) / 2
