"""How far colours bleed over edges when the ab of a small picture is enlarged: bilinear beside the guided upsampling.

    python tests/benchmarks/bleeding.py [FOLDER of color photographs]

Prints the mean delta_e against the truth, over all pixels and over those near an edge of colour. Scenes are discs
of strong colours; photographs are shrunk to a shorter side of 128. Their true ab is what is enlarged.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import delta_e, lab_to_rgb, rgb_to_lab
from colorize.color.upsample import guide, upsample_ab
from colorize.images import find_photographs, read_rgb

WORKING_SIZE = 128
EDGE = 15.0
"""Range of ab within a small pixel's width from which it counts as an edge."""


def discs(seed: int, least_contrast: float, size: int = 512) -> Tensor:
    """Overlapping discs of random colours, RGB (1, 3, size, size); `least_contrast` 0 gives all the same L."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    lab = torch.tensor([50.0, 0, 0]).repeat(size, size, 1)
    luminance = 50.0
    for _ in range(30):
        center_y, center_x, radius, hue, draw, chroma = torch.rand(6, generator=generator).tolist()
        if least_contrast:
            luminance = 20 + (luminance - 20 + least_contrast + draw * (60 - 2 * least_contrast)) % 60
        angle = torch.tensor(6.2832 * hue)
        color = torch.stack(
            [torch.tensor(luminance), (15 + 20 * chroma) * angle.cos(), (15 + 20 * chroma) * angle.sin()]
        )
        inside = (y - center_y * size) ** 2 + (x - center_x * size) ** 2 < (20 + 80 * radius) ** 2
        lab[inside] = color
    return lab_to_rgb(lab.permute(2, 0, 1)[None])


def shrink(rgb: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(rgb, size, mode="bilinear", antialias=True).clamp(0, 1)


def bilinear(small: Tensor, luminance: Tensor) -> Tensor:
    return F.interpolate(small[:, 1:], luminance.shape[2:], mode="bilinear")


def guided(small: Tensor, luminance: Tensor) -> Tensor:
    return upsample_ab(guide(small[:, :1], small[:, 1:]), luminance)


def errors(rgb: Tensor, size: tuple[int, int]) -> list[float]:
    """delta_e of bilinear and guided over all pixels, then over those near edges (nan without any)."""
    lab, small = rgb_to_lab(rgb), rgb_to_lab(shrink(rgb, size))
    luminance, ab = lab[:, :1], lab[:, 1:]
    reach = max(1, round(rgb.shape[2] / size[0])) // 2
    window = F.pad(ab, (reach, reach, reach, reach), mode="replicate")
    spread = F.max_pool2d(window, 2 * reach + 1, 1) + F.max_pool2d(-window, 2 * reach + 1, 1)
    edge = spread.norm(dim=1) > EDGE
    methods: list[Callable[[Tensor, Tensor], Tensor]] = [bilinear, guided]
    maps = [delta_e(lab, torch.cat([luminance, method(small, luminance)], dim=1)) for method in methods]
    return [error.mean().item() for error in maps] + [error[edge].mean().item() for error in maps]


def row(name: str, rows: list[list[float]]) -> None:
    print(f"{name[:34]:34s}" + "".join(f"{value:10.3f}" for value in torch.tensor(rows).nanmean(dim=0).tolist()))


def main() -> None:
    print(f"{'mean delta_e':34s}{'all: bil.':>10s}{'guided':>10s}{'edge: bil.':>10s}{'guided':>10s}")
    for factor in (4, 8):
        for contrast, name in ((20, "discs"), (0, "discs of one L")):
            scenes = [discs(seed, contrast) for seed in range(4)]
            row(f"{name}, 1/{factor}", [errors(scene, (512 // factor, 512 // factor)) for scene in scenes])
    table = []
    for path in find_photographs(Path(sys.argv[1])) if len(sys.argv) > 1 else []:
        rgb = torch.from_numpy(read_rgb(path)).permute(2, 0, 1)[None] / 255
        height, width = rgb.shape[2:]
        scale = WORKING_SIZE / min(height, width)
        table.append(errors(rgb, (round(height * scale), round(width * scale))))
        row(path.name, table[-1:])
    if table:
        row(f"mean of {len(table)} photographs", table)


if __name__ == "__main__":
    main()
