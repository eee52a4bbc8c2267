from dataclasses import replace

import pytest

from openm3w.shards.catalog import stats
from openm3w.shards.commands import printing
from openm3w.shards.document import Document, Image


def test_everything_is_counted_once(dataset):
    written = dataset()
    value = stats.to_json(stats.collect([written]))
    assert (value["samples"], value["images"], value["characters"]) == (
        written.nsamples,
        written.images,
        written.characters,
    )
    assert value["splits"] == {"train": 5, "val": 1}
    assert value["kinds"] == {"interleaved": 6}
    assert value["images_per_document"] == {"1": 4, "2": 2}
    assert value["languages"] == {"en": 6}
    assert value["domains"] == {"site0.example": 2, "site1.example": 2, "site2.example": 2}
    assert value["image_width"]["max"] == 64
    assert value["scores"]["similarity"]["min"] == pytest.approx(0.20)
    assert value["scores"]["similarity"]["max"] == pytest.approx(0.21)


def test_a_split_alone_and_a_mixture_together(dataset):
    parts = [dataset("a"), dataset("b", kind="text", start=50)]
    value = stats.to_json(stats.collect(parts))
    assert value["kinds"] == {"interleaved": 6, "text": 6}
    assert stats.collect(parts, "val").samples == 2


def test_parts_of_collections_are_counted_where_there_are_any(sample):
    counted = stats.Stats()
    for number, part in enumerate(("Books3", "ArXiv", "ArXiv", "")):
        document = sample(number).document
        counted.add(replace(document, provenance=replace(document.provenance, part=part)))
    value = stats.to_json(counted, top=1)

    assert (value["parts"], value["num_parts"]) == ({"ArXiv": 2}, 2)
    assert "parts (2 in all)" in "\n".join(printing.stats_lines(value))
    assert "parts" not in "\n".join(printing.stats_lines(stats.to_json(stats.Stats())))


def test_excluded_samples_are_not_counted(dataset, sample):
    assert stats.collect([dataset(exclude=[sample(0).key])]).samples == 5


def test_only_the_most_frequent_domains_are_listed(dataset):
    value = stats.to_json(stats.collect([dataset()]), top=1)
    assert value["domains"] == {"site0.example": 2}
    assert value["num_domains"] == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], {}),
        ([7], dict.fromkeys(["min", "5%", "25%", "50%", "75%", "95%", "max"], 7)),
        (
            range(100, -1, -1),
            {"min": 0, "5%": 5, "25%": 25, "50%": 50, "75%": 75, "95%": 95, "max": 100},
        ),
    ],
)
def test_quantiles_are_values_that_occur(values, expected):
    assert stats.quantiles(list(values)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.Example.org/a", "example.org"),
        ("http://user:pass@a.b.example:8080/", "a.b.example"),
        ("https://[::1]/", "::1"),
        ("", "unknown"),
        ("https://[broken", "unknown"),
        ("no url", "unknown"),
    ],
)
def test_domains_are_hosts_without_www(url, expected):
    assert stats.domain(url) == expected


def test_a_caption_without_a_page_counts_for_the_domain_of_its_image():
    counted = stats.Stats()
    counted.add(Document(doc_id="a", spans=(Image(url="https://img.example/x.jpg"),)))
    assert counted.domains == {"img.example": 1}
    assert counted.languages == {"unknown": 1}
