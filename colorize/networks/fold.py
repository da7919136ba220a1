"""A network as inference runs it: each BatchNorm is part of the convolution before it, weights are of its type."""

import copy
import itertools
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

N = TypeVar("N", bound=nn.Module)


def fold_batch_norms(network: N) -> N:
    """A copy that computes the same in evaluation mode, with less to do.

    Folded are a convolution and the BatchNorm that follows it in an `nn.Sequential`, and those pairs of names that a
    module states in `normalized`. All other modules share their tensors with the network.

    Args:
        network: in evaluation mode.
    """
    folded = _copy(network)
    for module in list(folded.modules()):
        pairs = getattr(module, "normalized", ())
        if isinstance(module, nn.Sequential):
            pairs = itertools.pairwise(name for name, _ in module.named_children())
        for conv, norm in pairs:
            before, after = getattr(module, conv), getattr(module, norm)
            transposed = isinstance(before, nn.ConvTranspose2d) and before.groups == 1
            is_pair = (transposed or isinstance(before, nn.Conv2d)) and isinstance(after, nn.BatchNorm2d)
            if is_pair and _is_fixed(before, after):
                setattr(module, conv, fuse_conv_bn_eval(before, after, transpose=transposed))
                setattr(module, norm, nn.Identity())
    return folded


def cast_weights(network: N, dtype: torch.dtype) -> N:
    """A copy whose convolutions and linear layers have weights of `dtype`, as autocast makes them anew in each call.

    Within autocast of that type it computes the same, bit for bit. All other tensors are shared with the network.
    """
    cast = _copy(network)
    for module in cast.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            for name, tensor in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(tensor.detach().to(dtype), requires_grad=False))
    return cast


def _copy(network: N) -> N:
    """A copy of the modules, which share their tensors with the network."""
    shared = {id(tensor): tensor for tensor in itertools.chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, shared)


def _is_fixed(conv: nn.Module, norm: nn.BatchNorm2d) -> bool:
    """Whether the statistics are those of the training, and nobody else watches the convolution's result."""
    has_hooks = conv._forward_hooks or norm._forward_pre_hooks or norm._forward_hooks
    return not norm.training and norm.running_mean is not None and not has_hooks
