import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from openm3w.pipeline import runners
from openm3w.pipeline.images.resolve import Chase, Found, Resource, hop
from openm3w.pipeline.jobs.searching import follow
from openm3w.pipeline.runners import Runner


def resource(offset, **fields):
    about = {"unit": "u", "kind": "response", "content": "image", "status": 200, "location": ""}
    return Resource(**{**about, "offset": offset, "digest": "", "fetched": "", **fields})


HELD = [
    ("url:direct", resource(1)),
    ("url:moved", resource(2, status=301, location="direct")),
    ("url:moved twice", resource(3, status=301, location="moved")),
    ("url:again", resource(4, kind="revisit", refers_to="direct")),
    ("url:again by digest", resource(5, kind="revisit", digest="A", refers_to="direct")),
    ("url:again elsewhere", resource(6, kind="revisit", digest="B", refers_to="direct")),
    ("url:again nowhere", resource(7, kind="revisit", digest="B", refers_to="gone")),
    ("digest:A", resource(8)),
]


@pytest.mark.beam
def test_searches_follow_redirects_and_revisits_to_their_ends():
    names = [key.removeprefix("url:") for key, _ in HELD if key.startswith("url:")]

    def graph(pipeline):
        chases = pipeline | beam.Create([Chase(name, f"url:{name}") for name in [*names, "gone"]])
        held = pipeline | "Held" >> beam.Create(HELD)
        found = follow(chases, held, hop, joins=4, max_redirects=1)
        assert_that(
            found,
            equal_to(
                [
                    Found("direct", "u", 1),
                    Found("moved", "u", 1),
                    Found("moved twice", reason="too_many_redirects"),
                    Found("again", "u", 1),
                    Found("again by digest", "u", 8),
                    Found("again elsewhere", "u", 1),
                    Found("again nowhere", reason="revisit_not_in_archive"),
                    Found("gone", reason="not_in_archive"),
                ]
            ),
        )

    runners.run(Runner(), graph)


@pytest.mark.beam
def test_a_search_that_runs_out_of_joins_says_so():
    def graph(pipeline):
        chases = pipeline | beam.Create([Chase("o", "url:o", 1), Chase("p", "url:p")])
        held = pipeline | "Held" >> beam.Create(HELD)
        found = follow(chases, held, hop, joins=0, max_redirects=1)
        ends = [Found("o", reason="too_many_redirects"), Found("p", reason="not_found")]
        assert_that(found, equal_to(ends))

    runners.run(Runner(), graph)
