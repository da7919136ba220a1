"""Colour maths on image batches (B, C, H, W), always in float32: conversions, gamut, differences."""

from colorize.color.convert import AB_SCALE, lab_to_rgb, luminance, rgb_to_gray, rgb_to_lab, to_float
from colorize.color.difference import check_pair, colorfulness, delta_e
from colorize.color.gamut import in_gamut
from colorize.color.precision import check_images, full_precision

__all__ = [
    "AB_SCALE",
    "check_images",
    "check_pair",
    "colorfulness",
    "delta_e",
    "full_precision",
    "in_gamut",
    "lab_to_rgb",
    "luminance",
    "rgb_to_gray",
    "rgb_to_lab",
    "to_float",
]
