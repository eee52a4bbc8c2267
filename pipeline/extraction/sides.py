"""Which boxes stand beside the content, told by their tag, class, id and role alone.

The words are those that site builders and content management systems give to such parts: facts
of WordPress, Drupal, TYPO3, Blogger, MediaWiki and the common advertising and sharing scripts,
gathered over pages in eight languages. Each is the documented name of a widely used system, or
stands on pages of several sites that have nothing to do with each other: none is one site's own.
A name is read word by word: `with-sidebar` is no sidebar, and what also says `entry-content` is
content.
"""

import re
from functools import lru_cache
from typing import Final

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.tags import names

SIDE_TAGS: Final = names("nav aside footer dialog menu search")

MAY_BE_SIDE: Final = SIDE_TAGS | names(
    "blockquote center dd details div dl dt fieldset figure footer form header li ol p section"
    " span table tbody td tr ul"
)

MAX_SIDE_SHARE: Final = 0.4
"""A part with more of the page's text than this is no sidebar, whatever its class says."""

MAX_ID_PARTS: Final = 3
"""Longer ids are made from the heading of a section, and say what the text is about."""

_SIDE_ROLES: Final = names(
    "navigation complementary contentinfo search banner dialog alertdialog menu menubar toolbar"
    " tablist"
)

_SIDE_WORD: Final = re.compile(
    # other pages
    r"related\w*|recommend(?:ed|ation)\w*|recirculation|similar|suggested|upnext|trending\w*"
    r"|popular\w*|recent|promos?|blogroll"
    # ways through the site
    r"|nav|navi|nav(?:bar|box|igation|header|footer)\w*|menus?|submenu"
    r"|dropdown|breadcrumbs?|crumbs?|toolbar|topbar|masthead|pager|pagination"
    r"|sidebars?|search|searchform|flyout"
    r"|footers?|colophon|copyright|impressum|disclaimer|sitemap"
    # readers and their networks
    r"|shar(?:e|es|ing|edaddy)\w*|social\w*|sociable|addthis\w*|addtoany\w*|likes?"
    r"|comments?|commentlist|commentform|disqus\w*|respond|reply|replies|trackbacks?|pingbacks?"
    r"|newsletters?\w*|signup|subscri\w+|login|ratings?|votes?"
    # notices and advertisements
    r"|alerts?|notification\w*|toast|cookies?\w*|consent\w*|gdpr\w*|popup\w*"
    r"|modal|overlay|tooltip|ads?|advert\w*|adsense\w*|adslot|banners?|sponsor\w*|outbrain\w*"
    r"|taboola\w*|zergnet|affiliate\w*"
    # controls of players
    r"|vjs|mejs|jwplayer|plyr"
    # who wrote the text, when, and about what
    r"|authors?|bylines?|bio|avatars?|meta|metadata|postmetadata|submitted|postprofile|userinfo"
    r"|dateline|tags|tagcloud|credits?|citation|hatnote|catlinks|noprint"
)
_SIDE_PAIR: Final = re.compile(
    r"most (?:read|viewed)|read next|more (?:stories|articles|news|posts|on|from)|next post"
    r"|prev next|side (?:bar|col)|widget areas?|(?:jump|skip) (?:to|links?)|site (?:header|info)"
    r"|follow us|sign up|log in|pop up|post info|tag (?:links|cloud)"
    r"|glr (?:download|timing|signature)"  # Sphinx-Gallery
    r"|(?:no|hide|hidden|d) print|print (?:hide|hidden|none)"
)
_CONTENT_WORD: Final = re.compile(
    r"hentry|(?:article|entry|post|story|news|page|main|text|blog)(?:content|body|text|main|detail)s?"
)
"""Names that content management systems give to what holds a whole text."""
_CONTENT_PAIR: Final = re.compile(
    r"type (?:post|page)|status publish|post \d+"
    r"|(?:article|entry|post|story|news|page|main|text|blog) (?:content|body|text|main|detail)s?"
    r"|content (?:main|body|article|text)"
)
_WIDGET: Final = re.compile(r"(?:^|\s)widgets?(?:\s(?!blog\b)|$)", re.IGNORECASE)
"""By itself WordPress' and Blogger's name of what stands in a sidebar; else a word of page
builders."""

_NEGATIONS: Final = names("no not has with without above below enable enabled disable show")
"""A page `with-sidebar` is none."""

_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN_CLASS: Final = re.compile(
    r"(?<![\w:-])(?:sr-only|visually-?hidden|screen-reader(?:-\w+)*)(?![\w:-])"
)
MAX_KEY_CHARS: Final = 500
"""Longer attributes are looked at each time: remembered, they would fill the memory."""
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")

HIDDEN: Final = 1
BESIDE: Final = 2

_NEITHER, _IS_SIDE, _IS_CONTENT = range(3)


def hides(written: str) -> bool:
    """Whether a tag's attributes, as written, say that the element is not shown."""
    low = written.lower()
    return ("none" in low or "hid" in low or "sr-only" in low or "screen-r" in low) and _is_hidden(
        attributes(written)
    )


def judge_box(tag: str, written: str) -> int:
    """`HIDDEN`, `BESIDE`, both or 0: what a box's attributes, as written, say of it."""
    judge = _judge_box if len(written) <= MAX_KEY_CHARS else _judge_box.__wrapped__
    return judge(tag == "section", written)


@lru_cache(maxsize=1 << 13)
def _judge_box(section: bool, written: str) -> int:  # noqa: FBT001 -- a keyword costs time
    found = attributes(written)
    # Of a section the id is made from its heading (Sphinx, Pandoc): `related-work`.
    own = "" if section else found.get("id", "")[:MAX_KEY_CHARS]
    if own.count("-") + own.count("_") >= MAX_ID_PARTS:
        own = ""
    classes = found.get("class", "")[:MAX_KEY_CHARS]
    side = found.get("role") in _SIDE_ROLES or bool((classes or own) and _is_side(classes, own))
    return HIDDEN * _is_hidden(found) + BESIDE * side


def _is_hidden(found: dict[str, str]) -> bool:
    return (
        "hidden" in found
        or bool(_HIDDEN_STYLE.search(found.get("style", "")))
        or bool(_HIDDEN_CLASS.search(found.get("class", "")))
    )


@lru_cache(maxsize=1 << 13)
def _is_side(classes: str, own: str) -> bool:
    if _WIDGET.search(classes):
        return True
    side, before = False, ""
    for part in _WORDS.findall(f"{classes} {own}"):
        word = part.lower()
        verdict = _judge_pair(before, word) if before else _NEITHER
        if verdict == _NEITHER and before not in _NEGATIONS:
            verdict = _judge_word(word)
        if verdict == _IS_CONTENT:
            return False
        side = side or verdict == _IS_SIDE
        before = word
    return side


@lru_cache(maxsize=1 << 13)
def _judge_word(word: str) -> int:
    if _SIDE_WORD.fullmatch(word):
        return _IS_SIDE
    return _IS_CONTENT if _CONTENT_WORD.fullmatch(word) else _NEITHER


@lru_cache(maxsize=1 << 13)
def _judge_pair(before: str, word: str) -> int:
    pair = f"{before} {word}"
    if _SIDE_PAIR.fullmatch(pair):
        return _IS_SIDE
    return _IS_CONTENT if _CONTENT_PAIR.fullmatch(pair) else _NEITHER
