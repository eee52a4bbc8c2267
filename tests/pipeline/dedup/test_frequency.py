import apache_beam as beam
import pytest

from openm3w.errors import RecipeError
from openm3w.pipeline.dedup.frequency import MarkFrequent, Totals

pytestmark = pytest.mark.beam


class Mark(beam.PTransform):
    """Occurrences, of which some were counted in an earlier run."""

    def __init__(self, minimum, earlier=()):
        super().__init__()
        self.minimum, self.earlier = minimum, earlier

    def expand(self, occurrences):
        now = occurrences | "One each" >> beam.Map(lambda kv: (kv[0], 1))
        before = occurrences.pipeline | "Earlier" >> beam.Create(self.earlier)
        totals = (now, before) | "Both" >> beam.Flatten() | Totals()
        return occurrences | MarkFrequent(totals, self.minimum)


def occurrences(**sizes):
    return [(key, (key, at)) for key, size in sizes.items() for at in range(size)]


def test_all_occurrences_are_marked_from_the_minimum_on(collect):
    elements = occurrences(two=2, three=3, hot=8_000)

    found = collect(Mark(3), elements)

    assert found == sorted((place, len(elements) - 5 if key == "hot" else 3)
                           for key, place in elements if key != "two")  # fmt: skip


def test_occurrences_of_earlier_runs_count(collect):
    earlier = [("below", 8), ("at", 4), ("at", 5), ("gone", 50)]

    found = collect(Mark(11, earlier), occurrences(below=2, at=2, new=10))

    assert found == [(("at", 0), 11), (("at", 1), 11)]


def test_a_minimum_of_none_is_refused(collect):
    with pytest.raises(RecipeError, match="a minimum of 0 occurrences"):
        collect(Mark(0), occurrences(a=1))
