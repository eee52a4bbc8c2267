from typing import Any

import numpy as np

def cells_of(pixels: np.ndarray[Any, Any], /) -> bytes | None:
    """The means of 32 x 32 cells of `uint8[H, W, 1]`, or of the luma of `uint8[H, W, 4]` of RGBX.

    Bytes in rows, equal to those of Pillow's `resize((32, 32), BOX)` of mode L. Without the GIL.
    None where a side is below 32 or above 32,768 px, or the height above 100 times the width: left
    to Pillow.

    Raises:
        ValueError: the array has another shape or type.
        BufferError: it is not contiguous; numpy raises ValueError.
    """
