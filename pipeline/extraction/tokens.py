"""A page's markup as tokens, by one regular expression that takes linear time on any input.

Each token is a tag with the text that follows it. What is inside comments, scripts, styles,
drawings and the other elements whose content is no markup is passed over. Every alternative of
the expression runs to its end, or to the end of the page where that is missing, and never gives
back what it took: so there is no page that it could hang on, as parsers do.
"""

import re
from typing import Final

from openm3w.pipeline.extraction.licences import LICENCE_WORDS
from openm3w.pipeline.extraction.limits import check_markup
from openm3w.pipeline.extraction.tags import IMAGES

Token = tuple[str, str, str, str]
"""The title, or what was passed over beside the content (markup after its first `<`; mostly "");
name ("p", "/p"; "" for what was passed over), attributes as written, the text after it."""


def _any_case(word: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word)


# Quotes count only right after an equals sign: `<p don't>` and `<p a=b"c>` open none.
_ATTRIBUTES: Final = (
    r"""[^>=]*+(?:=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+)?+[^>=]*+)*+"""
)
_COMMENT: Final = r"!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+(?:--!?>|\Z))"
# After `<!--` a script may hold another one (HTML Standard, section 13.2.5.20 and after).
_SCRIPT_COMMENT: Final = (
    r"!(?=--)(?:[^<-]++|-(?!->)|<(?!/?(?ai:script)[\s/>])"
    r"|<(?ai:script)[\s/>](?:[^<-]++|-(?!->)|<(?!/(?ai:script)[\s/>]))*+(?:</(?ai:script))?+)*+"
)
# Of drawings: what may hold tags that do not count, and the tags that end a drawing left open.
_IN_DRAWING: Final = (
    rf"{_COMMENT}|!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+"
    r"|(?ai:foreignObject|desc|title)[\s>]"
    r"[^<]*+(?:<(?!/(?ai:foreignObject|desc|title|svg)[\s/>])[^<]*+)*+"
)
_ENDS_DRAWING: Final = (
    r"(?ai:/?(?:b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|embed|h[1-6]|head|hr|i|img"
    r"|li|listing|menu|meta|nobr|ol|p|pre|ruby|s|small|span|strong|strike|sub|sup|table|tt|u|ul"
    r"|var)|/(?:article|aside|button|figure|footer|form|header|label|main|nav|section|t[dhr]))"
    r"[\s/>]"
)


def _raw(name: str, *, also_ends: str = "", holds: str = "") -> str:
    """An element whose content is passed over up to its end tag, not included."""
    end = f"/{_any_case(name)}[\\s/>]" + (also_ends and f"|{also_ends}")
    inner = rf"[^<]*+(?:<(?!{end})" + (holds and f"(?:{holds})?+") + r"[^<]*+)*+"
    closed = r"(?<=/)>|" if name == "svg" else ""
    return rf"{_any_case(name)}(?=[\s/>]){_ATTRIBUTES}(?:{closed}>?+{inner})"


def _with_end(raw: str, name: str) -> str:
    return rf"{raw}(?:</{_any_case(name)}(?=[\s/>]){_ATTRIBUTES}>?+)?+"


_RAW: Final = "|".join(
    _with_end(raw, name)
    for name, raw in {
        "script": _raw("script", holds=_SCRIPT_COMMENT),
        "svg": _raw("svg", also_ends=_ENDS_DRAWING, holds=_IN_DRAWING),
        **{name: _raw(name) for name in ("style", "iframe", "textarea", "noembed")},
    }.items()
)
# Passed over only where they end and hold no other of their kind, so that nothing is lost.
_BESIDE: Final = "|".join(
    rf"{_any_case(name)}(?=[\s>]){_ATTRIBUTES}>"
    rf"[^<]*+(?:<(?!/?{_any_case(name)}[\s>])"
    rf"(?:(?=[sSiItTnN])(?:{_RAW})|/?[a-zA-Z]{_ATTRIBUTES}(?=>)|{_COMMENT}|(?!/?[a-zA-Z]))[^<]*+)*+"
    rf"</{_any_case(name)}\s*+>"
    for name in ("nav", "footer", "aside", "select")
)


# Its content is text, tags and all.
_TITLE: Final = _raw("title")


def _token(beside: str, *, blank: str = r"\s(?=\s*+<)") -> re.Pattern[str]:
    return re.compile(
        rf"<(?:(?=[sSiItTnN])(?:{_RAW})|(?=[nNfFaAsStT])({beside}{_TITLE})"
        rf"|(/?[a-zA-Z][^\s/>]*+)({_ATTRIBUTES})>?+"
        rf"|{_COMMENT}"
        r"|[!?/][^>]*+>?+)"
        # Of white space alone one character is enough, but in code.
        rf"({blank}|[^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)\s*+"
    )


_ALL: Final = _token("")
_WITHOUT_SIDES: Final = _token(f"{_BESIDE}|")
_ALL_VERBATIM: Final = _token("", blank=r"\s++(?=<)")
_WITHOUT_SIDES_VERBATIM: Final = _token(f"{_BESIDE}|", blank=r"\s++(?=<)")
_VERBATIM: Final = re.compile(r"<(?:[pP][rR][eE]|[lL][iI][sS][tT][iI][nN][gG]|[xX][mM][pP])[\s>]")
_IMAGES: Final = re.compile(
    rf"<(?:(?=[sSiItTnN])(?:{_RAW})|({'|'.join(map(_any_case, sorted(IMAGES)))})(?=[\s/>])"
    rf"({_ATTRIBUTES})|/?[a-zA-Z][^\s/>]*+{_ATTRIBUTES}|{_COMMENT})"
)
_MAY_HOLD_IMAGES: Final = re.compile("<(?:[iI][mM]|[aA][mM][pP]-)")
_START: Final = re.compile(rf"([a-zA-Z]++)({_ATTRIBUTES})>?+")
_TEXT: Final = re.compile(r">\s*+([^<>{}]{20,}+)(?=<)")
"""Text between tags; what holds braces is a script."""


def tokenize(html: str, *, skip_sides: bool) -> list[Token]:
    """All tags of a page, each with the text after it; text before the first tag has no name.

    `skip_sides` makes one token of a whole navigation, footer or sidebar.

    Raises:
        PageLimit: the page has more markup than any that is worth reading.
    """
    check_markup(html)
    if _VERBATIM.search(html):
        pattern = _WITHOUT_SIDES_VERBATIM if skip_sides else _ALL_VERBATIM
    else:
        pattern = _WITHOUT_SIDES if skip_sides else _ALL
    tokens: list[Token] = pattern.findall(html)
    start = html.find("<")
    if start:
        tokens.insert(0, ("", "", "", html if start < 0 else html[:start]))
    return tokens


def split_start(markup: str) -> tuple[str, str, str]:
    """Name and attributes of the tag that begins what was passed over, and all after it."""
    start = _START.match(markup)
    return (start[1].lower(), start[2], markup[start.end() :]) if start else ("", "", markup)


def images_in(markup: str) -> list[str]:
    """Attributes of the image elements in what was passed over, as written."""
    if not _MAY_HOLD_IMAGES.search(markup):
        return []
    return [written for name, written in _IMAGES.findall(markup) if name]


def licences_in(markup: str) -> list[str]:
    """Attributes of the links in what was passed over that name a licence, as written."""
    if not any(word in markup for word in LICENCE_WORDS):
        return []
    links = [written for _, name, written, _ in _ALL.findall(markup) if name in ("a", "A")]
    return [written for written in links if any(word in written for word in LICENCE_WORDS)]


def text_in(markup: str) -> int:
    """Characters of text, labels not counted, in what was passed over."""
    return sum(map(len, _TEXT.findall(markup)))
