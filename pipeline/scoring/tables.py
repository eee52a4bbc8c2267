"""The tables of scores, for those who read them: no model and no torch is needed for that."""

import pyarrow as pa

from openm3w.filters.perplexity import PERPLEXITY
from openm3w.filters.safety import SCORERS, image_score
from openm3w.filters.similarity import SIMILARITY, TEXT_SIMILARITY

_KEY = [("row", pa.int64()), ("image", pa.int32())]
_IMAGE_COLUMNS = {
    SIMILARITY: [
        (SIMILARITY, pa.float64()),
        (TEXT_SIMILARITY, pa.float64()),
        ("window_scores", pa.list_(pa.float64())),
    ],
    **{image_score(scorer): [(image_score(scorer), pa.float64())] for scorer in SCORERS},
}
SCHEMAS = {
    **{part: pa.schema([*_KEY, *columns]) for part, columns in _IMAGE_COLUMNS.items()},
    PERPLEXITY: pa.schema([("row", pa.int64()), (PERPLEXITY, pa.float64())]),
}
"""Score -> its table; one row for each image that was available, or each document that came here.

`similarity` is the best window's, null without one; `text_similarity` is that of the windows that
are sentences of the text. `window_scores` follow
`openm3w.pipeline.scoring.windows.image_windows` of the document."""
