"""The words that a URL is made of."""

import re
from urllib.parse import unquote, urlsplit

_LETTERS = re.compile(r"[^\W\d_]+")
# Between `freePictures`' words, and before the last capital of `PDFViewer`'s first word.
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")


def url_tokens(url: str) -> frozenset[str]:
    """The words of a URL in lower case; never raises.

    A word ends at whatever is no letter and where a small letter meets a capital, so that `Essex`
    is one word, `sussex.ac.uk` three, and `freePictures` two. Escapes are read first. Capitals of a
    host name say nothing. The scheme is no word of the URL.
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return _words(url)
    return _words(" ".join((host, *map(unquote, (parts.path, parts.query, parts.fragment)))))


def _words(text: str) -> frozenset[str]:
    runs = _LETTERS.findall(text)
    return frozenset(word.lower() for run in runs for word in _HUMP.split(run))
