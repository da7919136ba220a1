"""What the networks share: normalisation and activation by name, and one convolution block."""

from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "none": nn.Identity,
}
NORMS = ("batch", "group", "instance", "none")


def choose(kind: str, name: str, known: tuple[str, ...]) -> str:
    """Return `name` if it is one of `known`; raises ValueError with the list otherwise."""
    if name not in known:
        raise ValueError(f"{kind} is {name!r}, but must be one of {', '.join(known)}")
    return name


def activation_layer(name: str) -> nn.Module:
    return ACTIVATIONS[choose("activation", name, tuple(ACTIVATIONS))]()


def norm_layer(name: str, channels: int) -> nn.Module:
    """A normalisation over (B, channels, H, W); "group" takes the most groups up to 8 that divide the channels."""
    match choose("norm", name, NORMS):
        case "batch":
            return nn.BatchNorm2d(channels)
        case "group":
            return nn.GroupNorm(next(g for g in range(8, 0, -1) if channels % g == 0), channels)
        case "instance":
            return nn.InstanceNorm2d(channels, affine=True)
        case _:
            return nn.Identity()


def conv_block(in_channels: int, out_channels: int, norm: str, activation: str) -> nn.Sequential:
    """Convolution 3x3, normalisation, activation; keeps H and W. The bias is left to the normalisation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=norm == "none"),
        norm_layer(norm, out_channels),
        activation_layer(activation),
    )
