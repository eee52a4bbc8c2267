"""Each rule's numbers and limits say what the rule says: the same verdict, the same reason."""

import dataclasses
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.filters.limits import judge, measured_by
from openm3w.filters.quality.c4 import C4Page
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.fineweb import FineWeb
from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.gopher_repetition import GopherRepetition
from openm3w.filters.quality.kosmos import Gibberish
from openm3w.filters.quality.obelics import Obelics
from openm3w.filters.quality.omnicorpus import OmniCorpus, OmniCorpusImages
from openm3w.filters.quality.sentences import SentenceCount
from openm3w.filters.text import WordCount
from openm3w.filters.verdict import KEEP, drop
from openm3w.shards.document import Document, Image, Text

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"

TEXT_RULES = (
    GopherQuality(),
    # Bounds that each break off somewhere else than the defaults do.
    GopherQuality(min_words=0, min_mean_word_length=0, min_stop_words=0, stop_words=()),
    GopherQuality(min_words=0, min_mean_word_length=4, max_bullet_lines=0, stop_words=("a", "b")),
    GopherRepetition(),
    GopherRepetition(max_repeated_lines=0, max_repeated_paragraphs=1),
    GopherRepetition(
        **{f.name: 1.0 for f in dataclasses.fields(GopherRepetition) if "gram" not in f.name},
    ),
    GopherRepetition(
        **{f.name: 1.0 for f in dataclasses.fields(GopherRepetition) if "grams" not in f.name},
        max_repeated_5_grams=0.3,
        max_repeated_7_grams=0.02,
    ),
    C4Page(),
    C4Page(lorem_ipsum=False, min_sentences=0),
    C4Page(curly_bracket=False, min_sentences=2),
    SentenceCount(),
    SentenceCount(min_sentences=2, max_sentences=3),
    FineWeb(),
    FineWeb(min_closed_lines=0, short_line_characters=5, max_short_lines=0.5),
    FineWeb(min_closed_lines=0, max_short_lines=1, max_repeated_characters=1),
    Obelics(),
    Obelics(min_words=0, max_special_characters=1, min_stop_words=0, min_punctuation=0),
    Obelics(min_words=1, min_stop_words=0, flagged_words=("a", "kings"), max_flagged_words=0.1),
    OmniCorpus(),
    OmniCorpus(min_words=0, min_mean_word_length=0, min_alphabetic_words=0, min_stop_words=0),
    OmniCorpus(min_words=1, min_stop_words=0, min_alphabetic_words=0.5, mean_paragraph=2.3),
    OmniCorpus(min_words=0, min_mean_word_length=0, min_alphabetic_words=1, long_paragraph=0),
    Gibberish(),
    Gibberish(max_emoji_per_word=0, max_hashtags_per_word=1, max_links_per_word=0.5),
    WordCount(),
    WordCount(min_words=0, max_words=3),
)
DOCUMENT_RULES = (
    OmniCorpusImages(),
    OmniCorpusImages(few_images=0, min_words_per_image=2.5),
)
RULES = (*TEXT_RULES, *DOCUMENT_RULES)
KINDS = {type(rule): type(rule)() for rule in RULES}

# Pieces that the rules count, so that short texts land on both sides of their bounds.
PIECES = st.sampled_from(
    [
        *("the", "and", "of", "with", "a", "kings", "lorem ipsum", "word", "3.5", "2024", "it's"),
        *(".", "...", "\u2026", "!", "?", ",", "#", "#tag", "{", "- ", "\u2022", "\U0001f600"),
        *("http://a.org", "www.b.org", "\u4e2d\u6587", "\u0e01", "\ud800", "\x00", "\u0301"),
        *(" ", " ", " ", "\n", "\n\n", "\n - ", ". \n"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=150).map("".join),
    # Whole parts again and again, for the rules on repetition.
    st.tuples(st.lists(PIECES, max_size=25).map("".join), st.integers(1, 8)).map(
        lambda drawn: drawn[0] * drawn[1]
    ),
)


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.name)
@given(text=TEXTS)
@settings(max_examples=100)
def test_numbers_against_limits_are_the_verdict_on_a_text(rule, text):
    assert judge(rule.limits(), rule.measure(TextFacts(text))) == rule.keep(TextFacts(text))


@pytest.mark.parametrize("rule", DOCUMENT_RULES, ids=lambda rule: rule.name)
@given(text=TEXTS, images=st.integers(0, 4))
def test_numbers_against_limits_are_the_verdict_on_a_document(rule, text, images):
    pictures = tuple(Image(url=f"https://example.org/{number}") for number in range(images))
    document = Document(doc_id="0", spans=(Text(text=text), *pictures))
    assert judge(rule.limits(), rule.measure(document)) == rule.keep(document)


@pytest.fixture(scope="session")
def real_texts(realdata):
    """What extraction leaves of the pages of both sets that have text."""
    sys.path.append(str(BENCHMARKS))
    from measure.quality import read_documents

    archives = (realdata / "extraction" / f"{name}.warc.gz" for name in _REAL)
    return [d for archive in archives for d in read_documents(archive)]


_REAL = ("trafilatura", "readability")


@pytest.mark.real
def test_numbers_against_limits_are_the_verdict_on_real_pages(real_texts):
    assert len(real_texts) == 474 + 67
    verdicts = set()
    for document in real_texts:
        text = TextFacts.of(document)
        for rule in RULES:
            judged = document if rule in DOCUMENT_RULES else text
            verdict = rule.keep(judged)
            assert judge(rule.limits(), rule.measure(judged)) == verdict, (rule, document.url)
            verdicts.add((rule.name, verdict.reason))
    # Each rule both keeps and drops some of them, so that the comparison says something.
    kept = {name for name, reason in verdicts if reason is None}
    dropped = {name for name, reason in verdicts if reason}
    assert kept == {rule.name for rule in RULES}
    assert dropped == kept - {"omnicorpus_images"}


SOME_TEXT = "The first line, with words.\n\n- and a second: 3 words\nhttp://a.org #tag and again"


def _measured(rule):
    document = Document(doc_id="0", spans=(Text(text=SOME_TEXT),))
    return rule.measure(document if rule in DOCUMENT_RULES else TextFacts(SOME_TEXT))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_limit_looks_at_a_number_of_its_rule_and_has_a_reason_of_it(rule):
    numbers = _measured(rule)
    assert all(type(number) is float for number in numbers.values())
    assert {limit.measure for limit in rule.limits()} <= numbers.keys()
    assert {limit.reason for limit in rule.limits()} <= rule.reasons
    assert all(name.startswith(f"{rule.name}.") for name in numbers)


@pytest.mark.parametrize("rule", KINDS.values(), ids=lambda rule: rule.name)
def test_with_all_switches_on_every_number_and_reason_is_bounded(rule):
    assert {limit.measure for limit in rule.limits()} == _measured(rule).keys()
    assert {limit.reason for limit in rule.limits()} == rule.reasons


CHANGED = {
    "stop_words": ("words", "again", "first"),
    "flagged_words": ("words",),
    "short_line_characters": 3,
    "long_paragraph": 2,
    "few_images": 0,
}


@pytest.mark.parametrize("rule", KINDS.values(), ids=lambda rule: rule.name)
def test_a_field_changes_either_the_numbers_or_the_limits(rule):
    document = Document(
        doc_id="0", spans=(Text(text=SOME_TEXT), Image(url="https://example.org/1"))
    )
    judged = document if rule.name in {d.name for d in DOCUMENT_RULES} else TextFacts(SOME_TEXT)
    names = {f.name for f in dataclasses.fields(rule)}
    assert rule.measuring <= names
    for name in names:
        changed = dataclasses.replace(rule, **{name: _other(name, getattr(rule, name))})
        measures = name in rule.measuring
        assert (changed.measure(judged) != rule.measure(judged)) is measures, name
        assert (changed.limits() != rule.limits()) is not measures, name
        assert (measured_by(changed) != measured_by(rule)) is measures, name


def _other(name, value):
    if name in CHANGED:
        return CHANGED[name]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2


def test_omnicorpus_share_of_alphabetic_words_has_to_be_above_its_bound():
    rule = OmniCorpus(min_words=0, min_stop_words=0, mean_paragraph=0, min_alphabetic_words=0.5)
    at, above = TextFacts("word 1234"), TextFacts("word 1234 word")
    assert rule.measure(at)["omnicorpus.alphabetic_words"] == 0.5
    assert judge(rule.limits(), rule.measure(at)) == drop("omnicorpus_few_alphabetic_words")
    assert judge(rule.limits(), rule.measure(above)) == KEEP


@pytest.mark.parametrize(
    ("sizes", "mean"),
    [((34, 6), 20.0), ((35, 1), math.inf), ((1, 2, 3), 2.0), ((), math.inf)],
)
def test_one_long_paragraph_makes_omnicorpus_mean_infinite(sizes, mean):
    text = "\n\n".join(" ".join(["word"] * size) for size in sizes)
    assert OmniCorpus().measure(TextFacts(text))["omnicorpus.mean_paragraph"] == mean


@pytest.mark.parametrize(("images", "number"), [(0, math.inf), (2, math.inf), (3, 2.0)])
def test_few_images_make_omnicorpus_words_for_each_infinite(images, number):
    pictures = tuple(Image(url=f"https://example.org/{n}") for n in range(images))
    document = Document(doc_id="0", spans=(Text(text="one two three four five six"), *pictures))
    assert OmniCorpusImages().measure(document) == {"omnicorpus_images.words_per_image": number}


def test_repeated_sequences_are_counted_out_though_keep_need_not():
    # Eleven words twice: all lengths repeat, each in whole sequences that do not overlap.
    text = " ".join([*"abcdefghijk", *"abcdefghijk"])
    numbers = GopherRepetition().measure(TextFacts(text))
    shares = [numbers[f"gopher_repetition.repeated_{n}_grams"] for n in range(5, 11)]
    assert shares == [taken / len(text) for taken in (10, 6, 7, 8, 9, 10)]
