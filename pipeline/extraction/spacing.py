"""White space as browsers show it: one space for runs of it in prose, in code all as it stands."""

import re
from typing import Final

from openm3w.pipeline.extraction.boxes import LINE_BREAK
from openm3w.pipeline.extraction.unicode import repair

_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U000f0000-\U0010ffff]"
)
"""Controls, surrogates, and the private use planes, where fonts keep their icons."""

_WIDE: Final = (
    "\u2e80-\u30ff\u3105-\u312f\u3190-\u31ff\u3220-\u325f\u3280-\ua4cf\uf900-\ufaff\ufe30-\ufe6f"
    "\uff01-\uff9f\uffe0-\uffe6\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_BETWEEN_WIDE: Final = re.compile(f"(?<=[{_WIDE}])[ \t\r\n\f]++(?=[{_WIDE}])")
"""White space between two characters of Chinese or Japanese. A line end of the markup among it is
none of the text's (CSS Text, level 3, section 4.1.2); Korean has spaces between words."""


def one_line(text: str) -> str:
    """A text on one line."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    # Repaired before white space is one: no-break spaces tell what was misread.
    return _collapse(repair(text).replace(LINE_BREAK, " "))


def shown_lines(text: str) -> str:
    """A text on one line for each that `<br>` ends; several of these make a paragraph."""
    text = repair(text)
    if LINE_BREAK not in text:
        return _collapse(text)
    joined = "\n".join(map(_collapse, text.split(LINE_BREAK))).strip("\n")
    while "\n\n\n" in joined:
        joined = joined.replace("\n\n\n", "\n\n")
    return joined


def code_lines(text: str) -> str:
    """Code with its lines, without empty ones around it."""
    text = repair(text).replace(LINE_BREAK, "\n").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    del lines[: next((at for at, line in enumerate(lines) if line.strip()), len(lines))]
    while lines and not lines[-1].strip():
        del lines[-1]
    return _CONTROLS.sub(" ", "\n".join(line.rstrip() for line in lines))


def _collapse(text: str) -> str:
    if not text.isascii() and ("\n" in text or "\r" in text):
        text = _BETWEEN_WIDE.sub(_without_line_end, text)
    return " ".join(_CONTROLS.sub(" ", text).split())


def _without_line_end(match: re.Match[str]) -> str:
    return match[0] if "\n" not in match[0] and "\r" not in match[0] else ""
