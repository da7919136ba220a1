"""The features of EfficientNet-Lite, for encoders.

Source: EfficientNet (Tan and Le 2019, arXiv:1905.11946) as TensorFlow's Lite models have it: ReLU6, no
squeeze-and-excitation, stem and ends of fixed width, "same" padding. The modules are named as in timm.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.networks.blocks import choose

SCALES = {  # width and depth, of the stages of Lite0
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
    "efficientnet_lite3": (1.2, 1.4),
    "efficientnet_lite4": (1.4, 1.8),
}
_STAGES = (  # kernel, stride, expansion, channels, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_FEATURES = (0, 1, 2, 4, 6)  # the last stage at each resolution
_STEM = 32


class EfficientNetLite(nn.Module):
    """The last features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture.

    Args:
        name: "efficientnet_lite0" to "efficientnet_lite4".

    Shape: (B, 3, H, W), H and W multiples of 32 -> five tensors (B, `channels[i]`, H / 2**(i+1), W / 2**(i+1)).
    """

    normalized = (("conv_stem", "bn1"),)

    def __init__(self, name: str = "efficientnet_lite0") -> None:
        super().__init__()
        self.name = name
        width, depth = SCALES[choose("encoder", name, tuple(SCALES))]
        self.conv_stem = SameConv2d(3, _STEM, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(_STEM, eps=1e-3)
        self.blocks = nn.ModuleList()
        self.channels: list[int] = []
        before = _STEM
        for number, (kernel, stride, expansion, base_channels, base_blocks) in enumerate(_STAGES):
            channels = round_channels(base_channels * width)
            at_an_end = number in (0, len(_STAGES) - 1)
            blocks = base_blocks if at_an_end else math.ceil(base_blocks * depth)
            stage = nn.Sequential()
            for block in range(blocks):
                stage.append(InvertedResidual(before, channels, kernel, stride if block == 0 else 1, expansion))
                before = channels
            self.blocks.append(stage)
            if number in _FEATURES:
                self.channels.append(channels)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self.bn1(self.conv_stem(x)))
        features = []
        for number, stage in enumerate(self.blocks):
            x = stage(x)
            if number in _FEATURES:
                features.append(x)
        return features


def round_channels(channels: float) -> int:
    """The nearest multiple of 8, but not less than 90 % of `channels`."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class InvertedResidual(nn.Module):
    """1x1 convolution to `expansion` times the channels, depthwise convolution, 1x1 convolution (MobileNetV2)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.expands = expansion > 1
        if self.expands:
            self.conv_pw = nn.Conv2d(in_channels, inner, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(inner, eps=1e-3)
        self.conv_dw = SameConv2d(inner, inner, kernel, stride, groups=inner)
        self.bn2 = nn.BatchNorm2d(inner, eps=1e-3)
        self.conv_pwl = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels, eps=1e-3)
        self.is_residual = stride == 1 and in_channels == out_channels

    @property
    def normalized(self) -> tuple[tuple[str, str], ...]:
        """See `fold_batch_norms`."""
        pairs = (("conv_dw", "bn2"), ("conv_pwl", "bn3"))
        return (("conv_pw", "bn1"), *pairs) if self.expands else pairs

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu6(self.bn1(self.conv_pw(x))) if self.expands else x
        inner = F.relu6(self.bn2(self.conv_dw(inner)))
        out: Tensor = self.bn3(self.conv_pwl(inner))
        return x + out if self.is_residual else out


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding of even sizes: with stride 2, one more pixel at the end.

    On a CPU the gradients of a depthwise convolution 5x5 or of stride 2 take 4 to 36 times as long in bfloat16 as in
    float32 (AVX512-BF16, torch 2.15): where there are gradients these stay in float32, also within autocast, and a
    training step of a U-Net on EfficientNet-Lite0 takes 1.1 s, not 2.0. A frozen encoder has none.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        before = (kernel - stride) // 2
        padding = before if stride == 1 else 0
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)
        after = kernel - stride - before
        self.margins = (before, after, before, after) if stride > 1 else (0, 0, 0, 0)
        self.is_slow_in_bf16 = groups > 1 and (kernel > 3 or stride > 1)

    def forward(self, x: Tensor) -> Tensor:
        if any(self.margins):
            x = F.pad(x, self.margins)
        has_gradient = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        has_slow_gradient = has_gradient and self.is_slow_in_bf16 and x.device.type == "cpu"
        if not (has_slow_gradient and torch.is_autocast_enabled("cpu")):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            out: Tensor = super().forward(x.float())
        return out.to(x.dtype)
