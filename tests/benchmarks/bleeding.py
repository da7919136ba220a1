"""How far colours bleed over edges when the chroma of a small picture is enlarged: bilinear beside the guided way.

    python tests/benchmarks/bleeding.py [FOLDER of color photographs]

Prints the mean delta_e against the truth, over all pixels and over those near an edge of colour. Scenes are discs
of strong colours; photographs are shrunk to a shorter side of 128. Their true ab is what is enlarged, and their Rec.601
gray is kept; 4:2:0 is the guided way at half the size, as JPEGs are written. Then, shrunk to fractions of their size,
as JPEG files: 4:4:4 beside the planes of 4:2:0.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import delta_e, lab_to_rgb, rgb_to_gray, rgb_to_lab
from colorize.color.chroma import BLUE_OF_CB, RED_OF_CR, ab_to_chroma, add_chroma, fit_chroma_
from colorize.images import Photograph, find_photographs, read_rgb, write_photograph
from colorize.inference.merge import merge_batch, merge_pixels, merge_planes

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


def bilinear(rgb: Tensor, small: Tensor, ab: Tensor) -> Tensor:
    small_gray, gray = rgb_to_gray(small), rgb_to_gray(rgb)
    chroma = F.interpolate(ab_to_chroma(small_gray, ab), rgb.shape[2:], mode="bilinear")
    return torch.cat(add_chroma(gray, fit_chroma_(chroma, gray, 1 - gray)), dim=1).clamp(0, 1)


def as_jpeg(rgb: Tensor, small: Tensor, ab: Tensor) -> Tensor:
    """The planes of a JPEG, as a decoder enlarges and a screen shows them, but for the loss of its compression."""
    gray = rgb_to_gray(rgb)[0, 0]
    planes = merge_planes((gray * 255).round().to(torch.uint8).numpy(), small[0], ab[0])
    cr, cb = (
        F.interpolate(torch.from_numpy(plane)[None, None].float(), gray.shape, mode="bilinear")
        for plane in (planes.cr, planes.cb)
    )
    chroma = torch.cat([(cr - 128) * RED_OF_CR, (cb - 128) * BLUE_OF_CB], dim=1) / 255
    return torch.cat(add_chroma(gray[None, None], chroma), dim=1).clamp(0, 1)


def errors(rgb: Tensor, size: tuple[int, int]) -> list[float]:
    """delta_e of each method over all pixels, then over those near edges (nan without any)."""
    small, lab = shrink(rgb, size), rgb_to_lab(rgb)
    ab = lab[:, 1:]
    reach = max(1, round(rgb.shape[2] / size[0])) // 2
    window = F.pad(ab, (reach, reach, reach, reach), mode="replicate")
    spread = F.max_pool2d(window, 2 * reach + 1, 1) + F.max_pool2d(-window, 2 * reach + 1, 1)
    edge = spread.norm(dim=1) > EDGE
    pictures = [method(rgb, small, rgb_to_lab(small)[:, 1:]) for method in METHODS]
    maps = [delta_e(lab, rgb_to_lab(picture)) for picture in pictures]
    return [error.mean().item() for error in maps] + [error[edge].mean().item() for error in maps]


def file_errors(rgb: Tensor, size: tuple[int, int]) -> list[float]:
    """delta_e of a JPEG written as 4:4:4 and as the planes of 4:2:0."""
    small, lab = shrink(rgb, size), rgb_to_lab(rgb)
    gray = (rgb_to_gray(rgb)[0, 0] * 255).round().to(torch.uint8).numpy()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for merge in (merge_pixels, merge_planes):
            path = Path(folder) / "picture.jpg"
            write_photograph(path, merge(gray, small[0], rgb_to_lab(small)[0, 1:]), Photograph(gray))
            found.append(delta_e(lab, rgb_to_lab(as_tensor(path))).mean().item())
    return found


def as_tensor(path: Path) -> Tensor:
    return torch.from_numpy(read_rgb(path)).permute(2, 0, 1)[None] / 255


METHODS: list[Callable[[Tensor, Tensor, Tensor], Tensor]] = [bilinear, merge_batch, as_jpeg]


def row(name: str, rows: list[list[float]]) -> None:
    print(f"{name[:34]:34s}" + "".join(f"{value:11.3f}" for value in torch.tensor(rows).nanmean(dim=0).tolist()))


def main() -> None:
    heads = ("all: bil.", "guided", "4:2:0", "edge: bil.", "guided", "4:2:0")
    print(f"{'mean delta_e':34s}" + "".join(f"{head:>11s}" for head in heads))
    for factor in (4, 8):
        for contrast, name in ((20, "discs"), (0, "discs of one L")):
            scenes = [discs(seed, contrast) for seed in range(4)]
            row(f"{name}, 1/{factor}", [errors(scene, (512 // factor, 512 // factor)) for scene in scenes])
    table = []
    paths = find_photographs(Path(sys.argv[1])) if len(sys.argv) > 1 else []
    for path in paths:
        rgb = as_tensor(path)
        height, width = rgb.shape[2:]
        scale = WORKING_SIZE / min(height, width)
        table.append(errors(rgb, (round(height * scale), round(width * scale))))
        row(path.name, table[-1:])
    if table:
        row(f"mean of {len(table)} photographs", table)
        print(f"{'as files':34s}{'4:4:4':>11s}{'4:2:0':>11s}")
    for factor in (4, 6, 8, 12) if table else ():
        pictures = [as_tensor(path) for path in paths]
        rows = [file_errors(rgb, (round(rgb.shape[2] / factor), round(rgb.shape[3] / factor))) for rgb in pictures]
        row(f"1/{factor}", rows)


if __name__ == "__main__":
    main()
