"""The weights that a training starts from."""

import logging
from collections.abc import Iterable, Mapping

import torch
from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.networks.pretrained import load_encoder_weights
from colorize.targets.bins import regresses_ab
from colorize.tasks import Task
from colorize.weights.loading import load_weights

log = logging.getLogger(__name__)
SHOWN = 8  # tensors that the log names


def initialize(task: Task, model: DictConfig) -> None:
    """Give a new task the weights that its training starts from: `encoder_weights`, then `init_from`.

    Raises:
        ColorizeError: as `load_encoder_weights` and `start_from`.
    """
    if model.encoder_weights:
        load_encoder_weights(task.network, str(model.encoder_weights))
    if model.init_from:
        start_from(task, str(model.init_from))


def start_from(task: Task, source: str) -> list[str]:
    """Copy into `task` every tensor of a trained network that has the same name and shape, and log what was copied.

    Where both heads predict ab by regression, their first two channels are copied: lab_hybrid goes on from lab_unet.

    Args:
        task: a new one.
        source: what `load_weights` takes: a name that ships, a checkpoint, a .safetensors file, hf://USER/NAME.

    Returns:
        The names of the network's tensors for which there is none, or for a part of which.

    Raises:
        ColorizeError: as `load_weights`, or nothing matches.
    """
    model, _ = load_weights(source)
    theirs, ours = model.network.state_dict(), task.network.state_dict()
    common = [name for name in theirs if name in ours]
    whole = {name for name in common if theirs[name].shape == ours[name].shape}
    ab: set[str] = set()
    if regresses_ab(model.target) and regresses_ab(task.target):
        heads = [name for name in common if name.startswith("head.") and name not in whole]
        ab = {name for name in heads if theirs[name].shape[1:] == ours[name].shape[1:]}
    if not whole and not ab:
        raise ColorizeError(f"model.init_from={source} has no weight of the same name and shape as this network.")
    copied = {name: theirs[name] for name in whole}
    copied |= {name: torch.cat([theirs[name][:2], ours[name][2:]]) for name in ab}
    task.network.load_state_dict({**ours, **copied})
    anew = [name for name in ours if name not in whole and not (name in ab and len(ours[name]) == 2)]
    unused = [name for name in theirs if name not in whole and not (name in ab and len(theirs[name]) == 2)]
    rank_zero_only(log.warning)(
        "model.init_from=%s: %d of the network's %d tensors start from it%s; start anew: %s; not used: %s.",
        source,
        len(copied),
        len(ours),
        ", of the head ab alone" if ab else "",
        _listed(ours, anew),
        _listed(theirs, unused),
    )
    return anew


def _listed(state: Mapping[str, Tensor], names: Iterable[str]) -> str:
    """Tensors with their shapes, e.g. "encoder.0.0.weight 16x1x3x3"."""
    words = [f"{name} {'x'.join(map(str, state[name].shape))}" for name in names]
    more = [f"and {len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return ", ".join(words[:SHOWN] + more) or "none"
