"""The flicker of moving pictures: E_warp, the warping error of Lai, Huang, Wang, Shechtman, Yumer, Yang 2018.

"Learning Blind Video Temporal Consistency", ECCV 2018, section 4.2. Of two frames it is the mean square of the first
less the second warped to it, over the pixels that are seen in both; of a film the mean over its pairs of frames.
"""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def warping_error(frames: Floats, flows: Floats, seen: npt.NDArray[np.bool_]) -> float:
    """E_warp of frames (T, H, W, C), the mean over channels too as in the authors' code.

    Args:
        flows: of each frame but the last where its pixels are in the next, relative: (T - 1, H, W, 2), x first.
        seen: which of them are seen there: (T - 1, H, W).
    """
    errors = []
    for number, (flow, mask) in enumerate(zip(flows, seen, strict=True)):
        difference = _warp(frames[number + 1], flow) - frames[number]
        errors.append(np.square(difference)[mask].mean() if mask.any() else 0.0)
    return float(np.mean(errors))


def estimate_motion(grays: npt.NDArray[np.uint8]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The flows and masks of a film (T, H, W) whose true motion is not known, by DIS.

    Left out are, as in Lai et al., occlusions (flow there and back do not meet) and borders of motion, both with the
    bounds of Ruder, Dosovitskiy, Brox 2016, "Artistic style transfer for videos", after Sundaram, Brox, Keutzer 2010.
    """
    flows, masks = [], []
    for one, other in pairwise(grays):
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        ahead, back = dis.calc(one, other, None), dis.calc(other, one, None)
        returned = _warp(back, ahead)
        sizes = np.square(ahead).sum(axis=2), np.square(returned).sum(axis=2)
        occluded = np.square(ahead + returned).sum(axis=2) > 0.01 * (sizes[0] + sizes[1]) + 0.5
        padded = np.pad(ahead, ((0, 1), (0, 1), (0, 0)), "edge")
        steps = np.square(np.diff(padded, axis=0)[:, :-1]) + np.square(np.diff(padded, axis=1)[:-1])
        border = steps.sum(axis=2) > 0.01 * sizes[0] + 0.002
        flows.append(ahead)
        masks.append(~(occluded | border))
    return np.stack(flows), np.stack(masks)


def _warp(values: Floats, flow: Floats) -> Floats:
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(values.shape)
