"""What is done to training pictures: flips, crops and ageing of whole uint8 batches, at random, on the device."""

import inspect
from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from torch import Generator, Tensor

from colorize.data.ageing import age
from colorize.errors import ColorizeError


class Augment:
    """The group `data.augment`: its settings, checked, and the random numbers it draws.

    What moves pixels is done to all pictures of a batch alike. Ageing, which changes the network's input alone, comes
    last and adds a picture to the batch: `rgb` stays what the network is to predict.

    `generator` is made at the first batch, on its device, from torch's seed and `rank`: each rank draws other numbers,
    and the same ones in every run of one seed. Its state is all that there is to save for an exact resume.

    Args:
        flip: mirror pictures left to right with probability one half.
        crop_padding: shift pictures by up to this many pixels, 0 for none.
        crop_scale: show a window of at least this share of a picture's height and width, 1 for the whole.
        crop_size: height and width that training pictures are brought to, None for their own. Below their own, steps
            are cheaper, and a window of that share loses no detail.
        ageing: share of pictures that a network which sees gray is shown as if they were old photographs, see `age`.

    Raises:
        ColorizeError: a setting that is out of range.
    """

    def __init__(
        self,
        flip: bool = True,
        crop_padding: int = 0,
        crop_scale: float = 1.0,
        crop_size: int | None = None,
        ageing: float = 0.0,
    ) -> None:
        if type(flip) is not bool:
            raise ColorizeError(f"data.augment.flip is {flip}, but must be true or false.")
        if type(crop_padding) is not int or crop_padding < 0:
            raise ColorizeError(
                f"data.augment.crop_padding is {crop_padding}, but must be a whole number of at least 0."
            )
        if type(crop_scale) not in (int, float) or not 0 < crop_scale <= 1:
            raise ColorizeError(f"data.augment.crop_scale is {crop_scale}, but must be above 0 and at most 1.")
        if crop_size is not None and (type(crop_size) is not int or crop_size < 1):
            raise ColorizeError(
                f"data.augment.crop_size is {crop_size}, but must be null or a whole number of at least 1."
            )
        if type(ageing) not in (int, float) or not 0 <= ageing <= 1:
            raise ColorizeError(f"data.augment.ageing is {ageing}, but must be at least 0 and at most 1.")
        self.flip, self.crop_padding, self.crop_scale, self.crop_size = flip, crop_padding, crop_scale, crop_size
        self.ageing = ageing
        self.rank = 0
        self.generator: Generator | None = None

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of `rgb` uint8 (B, 3, H, W) and every other picture (B, C, H, W); what has fewer dimensions stays.

        With ageing there is `seen` too, what the network is shown: gray float32 (B, 1, H, W) in [0, 1].
        """
        if self.generator is None:
            (seed,) = np.random.SeedSequence([torch.initial_seed(), self.rank]).generate_state(1, np.uint64)
            self.generator = Generator(batch["rgb"].device).manual_seed(int(seed))
        batch = dict(batch)
        if self.flip:
            batch = random_flip(batch, self.generator)
        if self.crop_padding:
            batch = random_crop(batch, self.crop_padding, self.generator)
        if self.crop_scale < 1 or self.crop_size is not None:
            batch = random_zoom(batch, self.crop_scale, self.generator, self.crop_size)
        if self.ageing:
            batch["seen"] = random_ageing(batch["rgb"], self.ageing, self.generator)
        return batch

    def state_dict(self) -> dict[str, Tensor | None]:
        """The state of `generator`, None before the first batch."""
        return {"generator": None if self.generator is None else self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor | None], device: torch.device) -> None:
        """Go on with the random numbers after those that were drawn at `state_dict`, on this device."""
        generator = state["generator"]
        self.generator = None if generator is None else Generator(device).set_state(generator)


def build_augment(settings: object) -> Augment:
    """`Augment` with the settings of the group `data.augment`, a mapping; None for the defaults.

    Raises:
        ColorizeError: no mapping, an unknown setting, or as `Augment`.
    """
    if settings is None:
        return Augment()
    if not isinstance(settings, Mapping):
        raise ColorizeError(
            f"data.augment is {settings}, but must hold settings: data.augment.flip=false turns flips off."
        )
    known = sorted(inspect.signature(Augment).parameters)
    for key in settings:
        if key not in known:
            raise ColorizeError(f"data.augment.{key} is no setting: use {', '.join(known)}.")
    return Augment(**settings)


def random_flip(batch: Mapping[str, Tensor], generator: Generator | None = None) -> dict[str, Tensor]:
    """Mirrors each picture of the batch left to right with probability one half, gray and colour alike."""
    rgb = batch["rgb"]
    flipped = torch.rand(len(rgb), 1, 1, 1, device=rgb.device, generator=generator) < 0.5
    return _pictures(batch, lambda images: torch.where(flipped, images.flip(-1), images))


def random_crop(batch: Mapping[str, Tensor], padding: int, generator: Generator | None = None) -> dict[str, Tensor]:
    """Shifts each picture by up to `padding` pixels each way; what comes in from outside repeats the border."""
    rgb = batch["rgb"]
    count, (height, width), device = len(rgb), rgb.shape[-2:], rgb.device
    top, left = torch.randint(2 * padding + 1, (2, count, 1), device=device, generator=generator) - padding
    rows = (top + torch.arange(height, device=device)).clamp(0, height - 1)[:, :, None]
    columns = (left + torch.arange(width, device=device)).clamp(0, width - 1)[:, None, :]
    which = torch.arange(count, device=device)[:, None, None]
    return _pictures(batch, lambda images: images.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2))


def random_zoom(
    batch: Mapping[str, Tensor], least: float, generator: Generator | None = None, size: int | None = None
) -> dict[str, Tensor]:
    """Shows a random window of each picture, `least` to 1 of its height and width (bilinear), at its size or `size`."""
    rgb = batch["rgb"]
    count, device = len(rgb), rgb.device
    height, width = rgb.shape[-2:] if size is None else (size, size)
    share = least + (1 - least) * torch.rand(count, device=device, generator=generator)
    shift = (2 * torch.rand(2, count, device=device, generator=generator) - 1) * (1 - share)
    nothing = torch.zeros_like(share)
    theta = torch.stack([share, nothing, shift[0], nothing, share, shift[1]], dim=1).view(count, 2, 3)
    grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)

    def zoom(images: Tensor) -> Tensor:
        enlarged = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
        return enlarged.round().to(images.dtype)

    return _pictures(batch, zoom)


def random_ageing(rgb: Tensor, share: float, generator: Generator | None = None) -> Tensor:
    """The Rec.601 gray of uint8 (B, 3, H, W), float32 (B, 1, H, W) in [0, 1], with this share of the pictures aged."""
    aged = torch.rand(len(rgb), 1, 1, 1, device=rgb.device, generator=generator) < share
    return torch.where(aged, age(rgb, generator), rgb_to_grayscale(rgb / 255))


def _pictures(batch: Mapping[str, Tensor], change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """The batch with `change` applied to all that are pictures."""
    return {name: change(value) if value.ndim == 4 else value for name, value in batch.items()}
