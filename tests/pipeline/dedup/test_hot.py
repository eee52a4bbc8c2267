from collections import Counter

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from openm3w.pipeline.dedup.hot import LookUp, PairWithFirst

pytestmark = pytest.mark.beam


def keyed(**sizes):
    """So many values for each key, no two alike."""
    return [(key, f"{at * 7919 % 1_000_003:07d}") for key, size in sizes.items()
            for at in range(size)]  # fmt: skip


def pairs_of(elements):
    first = {}
    for key, value in elements:
        first[key] = min(value, first.get(key, value))
    return sorted((key, first[key], value) for key, value in elements if value != first[key])


def test_all_but_the_first_of_each_key_are_paired_with_it(collect):
    # 8,000 are hot and 1 to 300 are not.
    elements = keyed(one=1, two=2, some=300, hot=8_000)

    assert collect(PairWithFirst(), elements) == pairs_of(elements)


def test_keys_may_be_bytes_and_equal_values_are_one(collect):
    elements = [(b"\xff\x00", "b"), (b"\xff\x00", "a"), (b"\xff\x00", "a"), (b"", "c")]

    assert collect(PairWithFirst(), elements) == [(b"\xff\x00", "a", "b")]


def test_30_000_equal_keys_are_no_group():
    elements = keyed(hot=30_000, cold=300)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = pipeline | beam.Create(elements) | PairWithFirst()
        counts = (
            found | beam.Map(lambda pair: (pair[0], pair[1])) | beam.combiners.Count.PerElement()
        )
        expected = [(("hot", "0000000"), 29_999), (("cold", "0000000"), 299)]
        assert_that(counts, equal_to(expected))
    result = pipeline.result.metrics().query(MetricsFilter().with_name("group_size"))
    (sizes,) = result["distributions"]

    assert sizes.committed.max == 300


def test_each_value_gets_its_keys_record(collect):
    wanted = keyed(hot=8_000, some=200, nowhere=3, hot_nowhere=8_000)
    records = [("hot", "H"), ("some", "S"), ("unasked", "U")]

    class Ask(beam.PTransform):
        def expand(self, wanted):
            return wanted | LookUp(wanted.pipeline | "Records" >> beam.Create(records))

    found = collect(Ask(), wanted, "local-mp")

    assert Counter(record for _, record in found) == {"H": 8_000, "S": 200}
    expected = [(value, dict(records).get(key)) for key, value in wanted]
    assert found == sorted(pair for pair in expected if pair[1])
