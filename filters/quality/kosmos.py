"""KOSMOS-1's rule against spam and gibberish: emoji, hashtags and links."""

import re
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, at_most
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop

_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
# Dingbats, weather and game signs, pictographs, with their colours.
_PICTURE = "[\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*"
_EMOJI = re.compile(f"{_FLAG}|{_PICTURE}(?:\u200d{_PICTURE})*")
_PICTORIAL = re.compile("[\u2600-\u27bf\U0001f1e6-\U0001faff]")
_HASHTAG = re.compile(r"(?<![\w&#/])#(?=\w*[^\W\d_])\w+")
_LINK = re.compile(r"\bhttps?://|(?<![\w/.])www\.\w", re.IGNORECASE)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Gibberish:
    """Drops texts that are emoji, hashtags and links for a good part.

    Each bound is a number for each word with a letter or a digit, and is inclusive. A hashtag has
    a letter (`#1` is none), a link begins with `http://`, `https://` or `www.`, an emoji with its
    skin colour and what is joined to it is one.

    Source: the rule is KOSMOS-1's (Huang et al., 2023, arXiv:2302.14045), appendix B.1.3, which
    gives no numbers. 0.1 is Gopher's for symbols (arXiv:2112.11446), taken for all three: of 474
    news and blog pages no more than one is above any of them.
    """

    name: ClassVar[str] = "gibberish"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"too_many_emoji", "too_many_hashtags", "too_many_links"}
    )
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_emoji_per_word: float = 0.1
    max_hashtags_per_word: float = 0.1
    max_links_per_word: float = 0.1

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")

    def keep(self, text: TextFacts) -> Verdict:
        words = text.kinds.spoken
        if text.share(_count_emoji(text.text), words) > self.max_emoji_per_word:
            return drop("too_many_emoji")
        if text.share(_count_hashtags(text.text), words) > self.max_hashtags_per_word:
            return drop("too_many_hashtags")
        if text.share(_count_links(text), words) > self.max_links_per_word:
            return drop("too_many_links")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        return (
            at_most("gibberish.emoji_per_word", self.max_emoji_per_word, "too_many_emoji"),
            at_most("gibberish.hashtags_per_word", self.max_hashtags_per_word, "too_many_hashtags"),
            at_most("gibberish.links_per_word", self.max_links_per_word, "too_many_links"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        words = text.kinds.spoken
        return {
            "gibberish.emoji_per_word": text.share(_count_emoji(text.text), words),
            "gibberish.hashtags_per_word": text.share(_count_hashtags(text.text), words),
            "gibberish.links_per_word": text.share(_count_links(text), words),
        }


def _count_emoji(text: str) -> int:
    if text.isascii() or not _PICTORIAL.search(text):
        return 0
    return len(_EMOJI.findall(text))


def _count_hashtags(text: str) -> int:
    return len(_HASHTAG.findall(text)) if "#" in text else 0


def _count_links(text: TextFacts) -> int:
    if "://" in text.text or "www." in text.lowered:
        return len(_LINK.findall(text.text))
    return 0
