from typing import Any

import numpy as np

def reduce_to_bgr(source: np.ndarray[Any, Any], target: np.ndarray[Any, Any], /) -> bool:
    """Reduces `uint8[H, W, 4]` of RGBX into `uint8[h, w, 3]` of BGR, as OpenCV's INTER_AREA does.

    Without the GIL. False, and nothing is written, where OpenCV's arithmetic is another or a side
    is above 65,535 px: where a side grows, or both scales are whole.

    Raises:
        ValueError: an array has another shape or type, or no pixels.
        BufferError: an array is not contiguous or cannot be written; numpy raises ValueError.
        MemoryError: there is none for the work.
    """
