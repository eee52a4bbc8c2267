import pytest

from openm3w.filters.limits import judge
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.sentences import SentenceCount


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        # MMC4-core: 4 to 40 sentences.
        (0, "too_few_sentences"),
        (3, "too_few_sentences"),
        (4, None),
        (40, None),
        (41, "too_many_sentences"),
    ],
)
def test_both_bounds_are_inclusive(count, reason, document, picture):
    page = document("A boat. " * (count // 2), picture("a"), "No wind! " * (count - count // 2))
    rule, text = SentenceCount(), TextFacts.of(page)
    assert rule.keep(text).reason == reason
    assert judge(rule.limits(), rule.measure(text)).reason == reason


def test_bounds_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="min_sentences 5 is above max_sentences 4"):
        SentenceCount(min_sentences=5, max_sentences=4)
