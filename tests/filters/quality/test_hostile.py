"""Texts that no writer writes cost each rule no more than their length, and raise nothing."""

import pytest

from openm3w.filters import registry
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.rules.quality import QualityRules
from openm3w.shards.document import Document, Text

RULES = [registry.get(name) for name in QualityRules.__slots__]
PARTS = [
    *("a", "a1", "1", "1.", "a.", "a@", "#", "#a", "...", "'", "-", ".", "_", "/", "[", "[1"),
    *("{", "\n", "\n \n", " \n", "a ", "a\n", "a\n\n", "\u4e2d", "\u0e01 ", "\u0301", "\U0001f600"),
    *("\U0001f600\u200d", "\U0001f1e9", "\ud800", "\x00", "\u2028", "www.", "http://"),
]


@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.name)
@pytest.mark.parametrize("part", PARTS, ids=ascii)
def test_a_long_run_of_one_thing(cls, part):
    # A rule that reads on from each place of such a run would not end within a test's time.
    text = part * 300_000
    document = Document(doc_id="0", spans=(Text(text=text),))
    match registry.granularity(cls):
        case "transform":
            cls().apply(document)
        case "document":
            cls().keep(document)
        case "text":
            assert cls().keep(TextFacts(text)) == cls().keep(TextFacts(text))


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\ud800", "a", ".", "\u0301"])
@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.name)
def test_next_to_nothing(cls, text):
    document = Document(doc_id="0", spans=(Text(text=text),))
    match registry.granularity(cls):
        case "transform":
            assert cls().apply(document).document.scores.keys() <= {
                *("c4_lines_removed", "obelics_paragraphs_removed"),
                "omnicorpus_paragraphs_removed",
            }
        case "text":
            verdict = cls().keep(TextFacts(text))
            assert verdict.reason is None or verdict.reason in cls.reasons
