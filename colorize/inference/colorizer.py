"""The class that users hold: a trained network that gives colour to photographs at their own size."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.files import expand_home
from colorize.hub.download import SCHEME, parse_address
from colorize.images import Pixels, Planes, read_photograph, write_photograph
from colorize.inference.colors import check_distribution, draw_uncertainty
from colorize.inference.pictures import Picture, as_photograph, as_pil, batch_as_float
from colorize.inference.renderer import Renderer
from colorize.weights.exported import write_exported
from colorize.weights.loading import load_weights
from colorize.weights.model import Model
from colorize.weights.onnx_file import is_onnx
from colorize.weights.shipped import DEFAULT


class Colorizer(Renderer):
    """Gives colour to photographs of any size (or, trained for it, takes it away).

    The network sees the photograph at the size it was trained on. The chroma of its colours is enlarged along the edges
    of the photograph's gray, added to that gray, and lowered where sRGB cannot show it: made gray again, the picture is
    the photograph. A grayscaling network is local and runs over the photograph as it is.

    Args: as those of `Renderer`.
    """

    @classmethod
    def load(cls, source: Path | str = DEFAULT, device: str = "auto", precision: str = "auto") -> Colorizer:
        """The colorizer of shipped weights, of a run's checkpoint or of an exported file.

        What is in a file is read as data and never run.

        Args:
            source: a name that ships ("photographs", "landscapes", "cifar10"), a run's checkpoints/best.ckpt, or a
                .safetensors or .onnx file, or hf://USER/NAME[@REVISION]. The network of an .onnx file runs on the
                CPU, whatever the device.

        Raises:
            ColorizeError: no such weights, or a file that neither a training nor `save` wrote.
        """
        model, facts = load_weights(source)
        if is_onnx(model.network) and precision != "auto":
            raise ColorizeError(
                f"precision={precision} is not possible: an ONNX file computes as it was exported; use precision=auto."
            )
        return cls(model, facts, device, precision)

    @classmethod
    def from_pretrained(
        cls, repository: str, revision: str | None = None, device: str = "auto", precision: str = "auto"
    ) -> Colorizer:
        """The colorizer of a repository of the Hugging Face Hub; `facts["hub"]` says of which commit.

        Only its model.safetensors is read, as `load` does. Without a network the Hub's cache is used, with a warning.

        Args:
            repository: USER/NAME.
            revision: a branch, a tag or a commit; None for the newest.

        Raises:
            ColorizeError: as `load`; no such repository or revision; no network and nothing in the cache.
        """
        parse_address(repository)
        address = f"{SCHEME}{repository.removeprefix(SCHEME)}"
        return cls.load(address if revision is None else f"{address}@{revision}", device, precision)

    def push_to_hub(self, repository: str, *, private: bool = False, license: str | None = None) -> str:
        """Write weights, configuration, a page with their figures and painted samples to a repository of the Hub.

        Args:
            repository: USER/NAME; it is made where there is none.
            private: of a new one.
            license: of the weights, by the Hub's short name ("mit"); None says nothing of it.

        Returns:
            Its address with the commit, hf://USER/NAME@COMMIT, which `load` takes.

        Raises:
            ColorizeError: nobody is logged in, no right to write there, or no network.
        """
        from colorize.hub.push import push

        return push(self, repository, private, license)

    def save(self, path: Path | str, dtype: torch.dtype = torch.float16) -> None:
        """Write one .safetensors file: weights, and a JSON header with target, network, image size, data and metrics.

        Raises:
            ColorizeError: as `write_exported`.
        """
        known = ("image_size", "chroma_gain", "cast_gain", "tta_scale", "data", "epochs", "metrics", "hub")
        facts = {key: value for key, value in self.facts.items() if key in known}
        write_exported(expand_home(path), Model(self.target, self.network), facts, dtype)

    def colorize_file(
        self,
        photograph: Path | str,
        output: Path | str,
        *,
        quality: int = 96,
        saturation: float = 1.0,
        tta: bool = True,
        temperature: float | None = None,
        max_megapixels: float | None = 200,
    ) -> None:
        """Write the picture of a photograph's file, in its depth, with all that the file says of it.

        Args:
            photograph: a file of any format that is read, of one page.
            output: its suffix names the format; an older file stays until the new one is on the disk.
            quality: 1 to 100, of JPEG, WebP and AVIF.
            saturation, tta, temperature, max_megapixels: as in `colorize`.

        Raises:
            ImageError: the photograph cannot be read, or the picture cannot be written.
            ColorizeError: as in `colorize`.
        """
        check_distribution(self.target, temperature)
        read = read_photograph(expand_home(photograph), max_megapixels, gray=not self.needs_color)
        path = expand_home(output)
        picture: Pixels | Planes
        if self.at_full_size:
            picture = self.render(read.pixels)
        else:
            small = self.shrink(read.pixels)
            picture = self.merge_for(path, read, small, self.predict_ab(small[None], tta, temperature)[0], saturation)
        write_photograph(path, picture, read, quality)

    def colorize(
        self,
        image: Picture,
        *,
        saturation: float = 1.0,
        tta: bool = True,
        temperature: float | None = None,
        max_megapixels: float | None = 200,
    ) -> Image.Image | Tensor:
        """The picture of a photograph, at its size.

        Args:
            image: a file, a PIL image, an array or a tensor: see `as_photograph`. Or a batch of tensors (B, C, H, W)
                with 1 or 3 channels, uint8 or float in [0, 1].
            saturation: factor on ab; 0 is gray.
            tta: average the colours with those of the mirrored photograph: 2 % less squared error, twice the network.
            temperature: of weights that know a distribution of colours: 1 is its mean, near 0 its likeliest colour,
                which is more vivid and more often wrong; None for the weights' own.
            max_megapixels: files with more are refused.

        Returns:
            An 8-bit PIL image with the photograph's transparency, colour profile and DPI (`colorize_file` keeps 16 bits
            and all that a file says); for a batch a float32 tensor (B, 3, H, W) in [0, 1] on the batch's device.

        Raises:
            ImageError: the file cannot be read.
            ColorizeError: a temperature that the weights do not have.
            TypeError, ValueError: a picture of another type or shape.
        """
        check_distribution(self.target, temperature)
        if isinstance(image, Tensor) and image.ndim == 4:
            rgb = batch_as_float(image)
            return self.render_batch(rgb, saturation, tta, temperature).to(image.device)
        photograph = as_photograph(image, max_megapixels)
        picture = self.render(photograph.pixels, saturation=saturation, tta=tta, temperature=temperature)
        return as_pil(picture, photograph)

    def sample(
        self,
        image: Picture,
        count: int = 4,
        *,
        saturation: float = 1.0,
        tta: bool = True,
        temperature: float | None = None,
        max_megapixels: float | None = 200,
    ) -> list[Image.Image]:
        """Several plausible pictures of a photograph, in each of which the same things have the same colour.

        The same photograph gives the same pictures, and the first of them however many are asked for.

        Args:
            image: as in `colorize`, but no batch.
            count: how many, at least 1.
            saturation, tta, temperature, max_megapixels: as in `colorize`.

        Raises:
            ImageError, ColorizeError, TypeError, ValueError: as `colorize`.
        """
        if count < 1:
            raise ValueError(f"count is {count}, but must be at least 1.")
        check_distribution(self.target, temperature, count)
        photograph = as_photograph(image, max_megapixels)
        small = self.shrink(photograph.pixels)
        colors = self.predict_colors(small[None], tta=tta, temperature=temperature, samples=count)[0]
        return [as_pil(self.merge(photograph.pixels, small, ab, saturation), photograph) for ab in colors.samples]

    def uncertainty(self, image: Picture, *, tta: bool = True, max_megapixels: float | None = 200) -> Image.Image:
        """Where the colours of a photograph are unsure: a gray PIL image of its size, see `draw_uncertainty`.

        Args:
            image, tta, max_megapixels: as in `sample`. In Lab units it is `predict_colors(...).deviation`.

        Raises:
            ImageError, ColorizeError, TypeError, ValueError: as `colorize`.
        """
        check_distribution(self.target, uncertainty=True)
        pixels = as_photograph(image, max_megapixels).pixels
        colors = self.predict_colors(self.shrink(pixels)[None], tta=tta, uncertainty=True)
        assert colors.deviation is not None
        return Image.fromarray(draw_uncertainty(colors.deviation[0], *pixels.shape[:2]))
