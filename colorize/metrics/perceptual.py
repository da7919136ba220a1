"""LPIPS and FID: metrics by networks trained on other data, whose weights are files at hand. Nothing is downloaded."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.image.fid import FrechetInceptionDistance

from colorize.color import full_precision
from colorize.errors import ColorizeError, first_line
from colorize.metrics.collection import ieee_convolutions

_SMALLEST = 31  # pixels: what AlexNet's layers leave something of


class LPIPS(Metric):
    """Mean LPIPS 0.1 of the predictions against their truths: a distance of AlexNet's features, 0 for equal pictures.

    The weights of its linear layers come with torchmetrics. Source: Zhang, Isola, Efros, Shechtman, Wang, The
    unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.

    Args:
        weights: a file of torchvision's AlexNet of ImageNet, `alexnet-owt-7be5be79.pth`.

    Raises:
        ColorizeError: no such file, or not of AlexNet.
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    distance: Tensor
    images: Tensor

    def __init__(self, weights: Path) -> None:
        super().__init__()
        from torchmetrics.functional.image.lpips import _NoTrainLpips  # the public class downloads its AlexNet

        tensors = _read("lpips", weights)
        self.net = _NoTrainLpips(net="alex", pnet_rand=True)
        names = {name: f"features.{name.partition('.')[2]}" for name in self.net.net.state_dict()}  # of slice1.0.weight
        try:
            self.net.net.load_state_dict({name: tensors[theirs] for name, theirs in names.items()})
        except (KeyError, RuntimeError) as error:
            raise ColorizeError(
                f"callbacks.perceptual.lpips={weights} does not hold torchvision's AlexNet: give its file "
                "alexnet-owt-7be5be79.pth, or null."
            ) from error
        self.add_state("distance", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    @full_precision
    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add RGB pictures, float (B, 3, H, W) in [0, 1], of at least 31 x 31 pixels.

        Raises:
            ColorizeError: they are smaller.
        """
        if min(prediction.shape[2:]) < _SMALLEST:
            raise ColorizeError(
                f"callbacks.perceptual.lpips needs pictures of at least {_SMALLEST} x {_SMALLEST} pixels: raise "
                "data.image_size, or set it to null."
            )
        with ieee_convolutions():
            self.distance += self.net(prediction, target, normalize=True).sum()
        self.images += len(prediction)

    def compute(self) -> Tensor:
        return self.distance / self.images


class FID(FrechetInceptionDistance):
    """Fréchet Inception distance of all predictions of an epoch to all truths, by the 2,048 features of Inception v3.

    Its bias grows as pictures get fewer: compare it over equally many only. Source: Heusel, Ramsauer, Unterthiner,
    Nessler, Hochreiter, GANs trained by a two time-scale update rule converge to a local Nash equilibrium, NIPS 2017.

    Args:
        weights: a file of torch-fidelity's Inception v3, `weights-inception-2015-12-05-6726825d.pth`.

    Raises:
        ColorizeError: no such file, not of that network, or torch-fidelity is not installed.
    """

    def __init__(self, weights: Path) -> None:
        file: Any = io.BytesIO()  # torch-fidelity runs code that it finds in a file: it gets what was read as data
        torch.save(_read("fid", weights), file)
        file.seek(0)
        try:
            super().__init__(feature_extractor_weights_path=file)
        except ModuleNotFoundError as error:
            raise ColorizeError(
                "callbacks.perceptual.fid needs torch-fidelity: pip install 'colorize[fid]', or set it to null."
            ) from error
        except RuntimeError as error:
            raise ColorizeError(
                f"callbacks.perceptual.fid={weights} does not hold torch-fidelity's Inception v3: give its file "
                "weights-inception-2015-12-05-6726825d.pth, or null."
            ) from error

    @full_precision
    def update(self, prediction: Tensor, target: Tensor) -> None:  # type: ignore[override]
        """Add RGB pictures, float (B, 3, H, W) in [0, 1]."""
        with ieee_convolutions():
            for pictures, real in ((prediction, False), (target, True)):
                super().update((pictures * 255).round().byte(), real=real)

    def compute(self) -> Tensor:
        """The distance.

        Raises:
            ColorizeError: fewer than two pictures.
        """
        if self.real_features_num_samples < 2:
            raise ColorizeError("callbacks.perceptual.fid needs at least two test pictures: set it to null.")
        return super().compute()


def _read(key: str, path: Path) -> Mapping[str, Any]:
    """The tensors of a file of weights, read as data."""
    if not path.is_file():
        raise ColorizeError(
            f"callbacks.perceptual.{key}={path} is not a file: give one of its weights, which are never downloaded, "
            "or null."
        )
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly anything on a damaged file
        raise ColorizeError(f"callbacks.perceptual.{key}={path} cannot be read: {first_line(error)}.") from error
    if not isinstance(tensors, Mapping):
        raise ColorizeError(f"callbacks.perceptual.{key}={path} is no file of weights: it holds no named tensors.")
    return tensors
