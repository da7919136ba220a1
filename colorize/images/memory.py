"""What Pillow does with the memory of pictures that are no longer needed."""

from PIL import Image

_KEPT_BLOCKS = 8  # of 16 MiB


def keep_memory(kept: bool) -> None:
    """Whether it keeps up to 128 MiB for the next pictures; asking the system anew takes as long as a JPEG's decoding.

    For the whole process; Pillow itself keeps none.
    """
    Image.core.set_blocks_max(_KEPT_BLOCKS if kept else 0)  # type: ignore[attr-defined]
