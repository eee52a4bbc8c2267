from array import array

import pytest

from openm3w.shards.catalog.query import Query
from openm3w.shards.serve import measuring
from openm3w.shards.serve.measuring import Part


@pytest.mark.parametrize(
    "values",
    [[0.5], [0.0], [-1.0, 2.0], [1, 1, 1, 5], [0.1001, 0.1002], [1, 10, 1e6], [3e-7, 4e-7], [0, 1e12],
     [-5.0], [0.3] * 7, [1.0, 1.0, 100.0], [-1e300, 1e300], [0.3, 0.1 + 0.2], [0.0, 5e-324],
     [5e-324], [-1e300] * 2, [1e-9, 1, 1e300]],
)  # fmt: skip
def test_every_value_is_in_one_bar(values):
    (drawn,) = measuring.histogram(array("d", sorted(values)))
    assert sum(drawn.counts) == len(values)
    assert list(drawn.edges) == sorted(set(drawn.edges))
    assert drawn.edges[0] <= min(values)
    assert max(values) <= drawn.edges[-1]
    for low, high, count in zip(drawn.edges, drawn.edges[1:], drawn.counts, strict=False):
        assert count == sum(low <= value < high for value in values)
    assert 0 <= drawn.share(min(values)) <= drawn.share(max(values)) <= 1
    assert len(drawn.counts) <= 160


def test_edges_are_short_numbers():
    (drawn,) = measuring.histogram(array("d", [0.2188, 0.4, 0.6829]))
    assert all(len(repr(edge)) <= 5 for edge in drawn.edges), drawn.edges
    (whole,) = measuring.histogram(array("d", [1, 2, 2, 5]))
    assert whole.edges == (1, 2, 3, 4, 5, 6)
    assert whole.counts == (1, 2, 0, 0, 1)


def test_bars_are_of_equal_ratio_where_values_spread():
    spread = [10.0 * 1.1**at for at in range(100)]
    (drawn,) = measuring.histogram(array("d", spread))
    assert drawn.is_log
    assert drawn.share(drawn.edges[0]) == 0
    assert drawn.share(drawn.edges[-1]) == 1
    assert not measuring.histogram(array("d", [0.0, *spread]))[0].is_log  # of which there is none


def test_two_samples_share_edges_and_nothing_has_none():
    first, second = measuring.histogram(array("d", [1, 2]), array("d", [7]))
    assert first.edges == second.edges
    assert (sum(first.counts), sum(second.counts)) == (2, 1)
    assert measuring.histogram(array("d"), array("d")) == []


# Document i of the set has 1 + i % 2 images with similarity 0.2 and 0.21; 10 + 5 and 10 + 5
# documents in two shards, of which number 4, with one image, is on the exclude list.
@pytest.mark.parametrize(
    ("at", "keep", "documents", "images"),
    [
        (0.2, "least", (29, 0), (44, 0)),
        (0.205, "least", (15, 14), (15, 29)),
        (0.21, "least", (15, 14), (15, 29)),
        (0.2101, "least", (0, 29), (0, 44)),
        (0.2, "most", (29, 0), (29, 15)),
        (0.1999, "most", (0, 29), (0, 44)),
    ],
)
def test_a_threshold_keeps_what_is_counted_from_all(served, at, keep, documents, images):
    facts = served.site.kept.facts
    found = measuring.outcome(facts, "similarity", at, keep, Query())
    assert found.documents == Part(kept=documents[0], lost=documents[1], without=0)
    assert found.images == Part(kept=images[0], lost=images[1], without=0)


def test_pictures_follow_a_document_that_is_judged_itself(served):
    facts = served.site.kept.facts
    found = measuring.outcome(facts, "images", 2, "least", Query())
    assert found.documents == Part(kept=15, lost=14, without=0)
    assert found.images == Part(kept=30, lost=14, without=0)
    quality = measuring.outcome(facts, "quality", 0.6, "least", Query.parse("split:val"))
    assert quality.documents == Part(kept=0, lost=10, without=0)
    assert quality.images == Part(kept=0, lost=15, without=0)


def test_what_has_no_value_is_said(served):
    found = measuring.outcome(served.site.kept.facts, "no_such_score", 0, "least", Query())
    assert found.documents == Part(kept=0, lost=0, without=29)
    assert found.images.all == 44
