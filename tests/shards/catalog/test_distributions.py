import dataclasses
import json

import pytest

from openm3w.shards.catalog.distributions import (
    EDGES,
    SCORE_EDGES,
    Distributions,
    collect,
    quantile,
)
from openm3w.shards.document import Document, Image, ImageContent, Provenance, Signals, Text


def image(side=100, long_side=200, **scores):
    content = ImageContent(
        sha256="",
        width=side,
        height=side,
        original_width=long_side,
        original_height=side,
        num_bytes=5000,
    )
    return Image(url="https://a.example/x.jpg", content=content, scores=scores)


def counted(*documents):
    found = Distributions()
    for document in documents:
        found.add(document)
    return found


def bins(summary, name):
    value = summary["measures"][name]
    return dict(
        zip(zip(value["edges"], value["edges"][1:], strict=False), value["counts"], strict=True)
    )


def test_a_value_is_counted_from_its_lower_edge_on_and_outliers_at_the_ends():
    sides = [image(side, 64) for side in (31, 32, 63, 64, 30_000)]  # the last is 64 by 30,000
    found = counted(Document(doc_id="", spans=tuple(sides))).summary()
    assert bins(found, "shorter_side") == {(0, 32): 1, (32, 64): 2, (64, 100): 2}
    wide = counted(Document(doc_id="", spans=(image(25_000, 30_000),))).summary()
    assert bins(wide, "shorter_side") == {(2000, 20_000): 1}


def test_an_aspect_is_the_long_side_by_the_short_one():
    upright, flat = image(200, 100), image(100, 200)
    found = counted(Document(doc_id="", spans=(upright, flat, image(100, 199)))).summary()
    assert bins(found, "aspect") == {(1.8, 2): 1, (2, 2.5): 2}


def test_scores_are_told_apart_by_two_hundredths_and_large_ones_by_powers_of_two():
    found = counted(
        Document(doc_id="", spans=(image(similarity=0.2), image(similarity=0.219))),
        Document(doc_id="", scores={"perplexity": 700.0, "similarity": -3.0}),
    )
    scores = found.summary()["scores"]
    similarity, perplexity = scores["similarity"], scores["perplexity"]
    at = similarity["edges"].index(0.2)
    assert similarity["counts"][at] == 2
    assert (similarity["edges"][0], similarity["counts"][0]) == (SCORE_EDGES[0], 1)
    assert perplexity == {"edges": [512.0, 1024.0], "counts": [1]}


def test_names_are_counted_once_a_document():
    page = Document(
        doc_id="",
        url="https://www.a.example/1",
        spans=(Text(text="words"),),
        provenance=Provenance(crawl="C-1", fetched="2024-11-02T10:00:00Z"),
        signals=Signals(language="en", opt_out=("robots: noai", "robots: noai"), licences=("l",)),
    )
    found = counted(page, dataclasses.replace(page, signals=Signals())).summary(top=1)
    assert found["languages"] == {"en": 1}
    assert found["num_languages"] == 2
    assert found["domains"] == {"a.example": 2}
    assert (found["crawls"], found["months"]) == ({"C-1": 2}, {"2024-11": 2})
    assert (found["opt_out"], found["licences"]) == ({"robots: noai": 1}, {"l": 1})


def test_counts_of_parts_are_those_of_the_whole(sample):
    documents = [sample(n, num_images=n % 4).document for n in range(12)]
    whole, first, second = counted(*documents), counted(*documents[:5]), counted(*documents[5:])
    first.merge(Distributions.of_json(json.loads(json.dumps(second.as_json()))))
    assert first.as_json() == whole.as_json()
    assert sum(whole.measures["images_per_document"]) == 12
    assert sum(whole.measures["aspect"]) == whole.images == sum(n % 4 for n in range(12))


def test_a_dataset_is_counted_without_what_it_excludes(dataset, sample):
    written = dataset(exclude=[sample(0).key])
    found = collect([written])
    assert found.documents == written.nsamples - 1
    assert sum(found.names["languages"].values()) == found.documents


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"documents": 1, "images": 0, "measures": {"aspect": [1]}, "scores": {}, "names": {}},
        {"documents": 1, "images": 0, "measures": {"height": [1]}, "scores": {}, "names": {}},
        {"documents": 1, "images": 0, "measures": {}, "scores": {"s": [1]}, "names": {}},
    ],
)
def test_counts_of_something_else_are_refused(value):
    with pytest.raises(ValueError, match="counts of documents"):
        Distributions.of_json(value)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 0.0), (0.25, 5.0), (0.5, 10.0), (0.75, 30.0), (1.0, 40.0)]
)
def test_quantiles_are_even_inside_a_bin(share, expected):
    assert quantile({"edges": [0, 10, 20, 40], "counts": [2, 0, 2]}, share) == expected


def test_nothing_has_no_quantile():
    assert quantile({"edges": [], "counts": []}, 0.5) is None


def test_every_measure_has_edges_that_rise():
    for edges in (*EDGES.values(), SCORE_EDGES):
        assert list(edges) == sorted(set(edges))
