"""What is measured of a document once, so that profiles can be chosen without reading it again.

A **view** is a page's text as a profile's text transforms leave it, and the rules that judge it.
Numbers of a view do not depend on the bounds of its rules. Numbers of pages and images are those of
all filters that measure, whatever the profile.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openm3w import recipe
from openm3w.filters import registry
from openm3w.filters.dedup.paragraphs import without_paragraphs
from openm3w.filters.language import Language
from openm3w.filters.limits import Limit, Measures, judge, measured_by
from openm3w.filters.profiles import Profile
from openm3w.filters.quality.facts import BLANK_LINES, TextFacts
from openm3w.filters.registry import MeasuringTextFilter, Transform
from openm3w.filters.rules.duplicates import DuplicateRules
from openm3w.filters.verdict import KEEP, Verdict
from openm3w.filters.words import count_words, token_pieces
from openm3w.shards.document import Document, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page's text as transforms leave it, and the rules that judge it."""

    duplicates: DuplicateRules
    """Which paragraphs go first because their domain repeats them."""
    transforms: tuple[Transform, ...]
    rules: tuple[MeasuringTextFilter, ...]

    @property
    def key(self) -> str:
        """16 hex digits of what the text goes through; views of one key share their text."""
        changes = [[t.name, recipe.to_plain(t)] for t in self.transforms]
        return recipe.fingerprint([self.duplicates.drop_paragraphs_from, changes])

    def apply(self, document: Document, repeats: Mapping[int, int]) -> Document:
        """The document with its text as this view has it; all its images stay.

        `repeats` are occurrences of paragraphs by their number, of those that a domain repeats.
        """
        document = without_paragraphs(document, self.duplicates.too_frequent(repeats))
        for transform in self.transforms:
            document = transform.apply(document).document
        return document

    def covers(self, other: "View") -> bool:
        """Whether numbers of this view are all that the other one needs."""
        mine = {rule_key(rule) for rule in self.rules}
        return self.key == other.key and mine.issuperset(map(rule_key, other.rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How much text stands where: what caps, windows and placement go by."""

    words: tuple[int, ...]
    """Of each paragraph, as `openm3w.filters.words` counts them."""
    tokens: tuple[int, ...]
    """Of each paragraph, likewise."""
    images: tuple[int, ...]
    """For each image, how many paragraphs stand before it."""


def view_of(profile: Profile) -> View:
    """The view that `profile` takes of a page."""
    rules = (rule for rule in profile.text_filters() if isinstance(rule, MeasuringTextFilter))
    return View(
        duplicates=profile.duplicates, transforms=profile.text_transforms(), rules=tuple(rules)
    )


def views(profiles: Iterable[Profile]) -> tuple[View, ...]:
    """The views of several profiles, those of one text made one with the rules of all."""
    found: dict[str, View] = {}
    for profile in profiles:
        view = view_of(profile)
        before = found.get(view.key)
        rules = {rule_key(rule): rule for rule in (*(before.rules if before else ()), *view.rules)}
        ordered = tuple(rules[key] for key in sorted(rules))
        found[view.key] = replace(view, rules=ordered)
    return tuple(found[key] for key in sorted(found))


def rule_key(rule: MeasuringTextFilter) -> str:
    """Under which a rule's numbers are stored: its name, with digits where it counts otherwise.

    Bounds do not count here: two rules of one key measure the same.
    """
    fields = recipe.to_plain(measured_by(rule))
    if fields == recipe.to_plain(measured_by(type(rule)())):
        return rule.name
    return f"{rule.name}@{recipe.fingerprint(fields)[:8]}"


def layout(document: Document) -> Layout:
    """The paragraphs of a document and where its images stand among them."""
    words: list[int] = []
    tokens: list[int] = []
    images: list[int] = []
    for span in document.spans:
        if isinstance(span, Image):
            images.append(len(words))
            continue
        for paragraph in BLANK_LINES.split(span.text):
            if paragraph.strip():
                words.append(count_words(paragraph))
                tokens.append(sum(piece for _, _, piece in token_pieces(paragraph)))
    return Layout(words=tuple(words), tokens=tuple(tokens), images=tuple(images))


def measure_text(page: Document, view: View) -> dict[str, float]:
    """The numbers of the view's rules; `page` is a document as the view has it."""
    text = TextFacts.of(page)
    found: dict[str, float] = {}
    for rule in view.rules:
        found |= _stored(rule, rule.measure(text))
    return found


def judge_text(page: Document, profile: Profile, measures: Measures | None) -> Verdict:
    """What the profile's rules on text say, by stored numbers where there are some.

    `page` is a document as the profile's view has it.
    """
    text = TextFacts.of(page)
    for rule in profile.text_filters():
        if measures is not None and isinstance(rule, MeasuringTextFilter):
            verdict = judge(_stored_limits(rule), measures)
        else:
            verdict = rule.keep(text)
        if not verdict:
            return verdict
    return KEEP


def text_limits(view: View) -> tuple[Limit, ...]:
    """The limits of the view's rules in their order, under the names that are stored."""
    return tuple(limit for rule in view.rules for limit in _stored_limits(rule))


def measure_page(document: Document) -> dict[str, float]:
    """The numbers of all filters of whole pages."""
    return {k: v for f in _measuring("document") for k, v in f.measure(document).items()}


def measure_image(image: Image, document: Document) -> dict[str, float]:
    """The numbers of all filters of images."""
    return {k: v for f in _measuring("image") for k, v in f.measure(image, document).items()}


def page_names() -> tuple[str, ...]:
    """What `measure_page` measures, sorted."""
    return tuple(sorted(measure_page(_EMPTY)))


def image_names() -> tuple[str, ...]:
    """What `measure_image` measures, sorted."""
    return tuple(sorted(measure_image(Image(url=""), _EMPTY)))


def text_names(view: View) -> tuple[str, ...]:
    """What `measure_text` measures for this view, sorted."""
    return tuple(sorted(measure_text(_EMPTY, view)))


_EMPTY = Document(doc_id="")


def _measuring(granularity: registry.Granularity) -> tuple[Any, ...]:
    """One filter of each kind that measures; its bounds do not matter."""
    return tuple(
        cls()
        for cls in map(registry.get, registry.names())
        if registry.granularity(cls) == granularity
        and registry.is_shipped(cls)  # others are registered in some processes and not in all
        and hasattr(cls, "measure")
        and not getattr(cls, "judges_rest", False)
        and cls is not Language  # which has columns of its own
    )


def _stored(rule: MeasuringTextFilter, measures: Measures) -> dict[str, float]:
    key = rule_key(rule)
    return {f"{key}.{name.partition('.')[2]}": value for name, value in measures.items()}


def _stored_limits(rule: MeasuringTextFilter) -> tuple[Limit, ...]:
    key = rule_key(rule)
    return tuple(
        replace(limit, measure=f"{key}.{limit.measure.partition('.')[2]}")
        for limit in rule.limits()
    )
