"""What parsers raise on a damaged archive, and the words for it that reach people."""

import zlib

import brotli
import zstandard
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParserException

from openm3w.pipeline.framing import CUT_HEAD
from openm3w.shards.terminal import clean_line

# What the parsers under warcio were seen to raise on damaged and hostile files. Anything else
# is a defect of ours and should be seen.
PARSER_ERRORS = (
    ArchiveLoadFailed,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    StatusAndHeadersParserException,
    TypeError,
    ValueError,
    brotli.error,
    zstandard.ZstdError,
    zlib.error,
)

# warcio's words, which quote bytes of the file or go on for a paragraph, and ours.
_MEANINGS = {
    "Unknown archive format": "no record begins here",
    "non-chunked gzip file": (
        "one gzip member holds several records, to be mended with: warcio recompress FILE NEW"
    ),
}


def last_words(error: Exception) -> str:
    """An error behind which nothing of the file is read."""
    said = one_line(error)
    return said if said == CUT_HEAD else f"{said}; the rest was not read"


def one_line(error: Exception) -> str:
    """What an error says, without what a terminal would obey: it quotes what is in the file."""
    said = clean_line(str(error))
    meanings = (meaning for words, meaning in _MEANINGS.items() if words in said)
    return next(meanings, said[:200]) or repr(error)
