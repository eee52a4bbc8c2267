import re
import xml.etree.ElementTree as ET

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.report import charts


def histogram(edges, counts, title="t"):
    return charts.histogram_from_json(title, {"edges": edges, "counts": counts})


def test_the_highest_bar_fills_the_room_and_the_others_are_in_proportion():
    text = str(charts.svg(histogram([0, 1, 2, 3], [5, 10, 0])))
    heights = [float(h) for h in re.findall(r'class="bar"[^>]* height="([0-9.]+)"', text)]
    assert heights[0] * 2 == pytest.approx(heights[1])
    assert heights[2] == 0
    ET.fromstring(text)  # noqa: S314


@pytest.mark.parametrize("bars", [1, 8, 9, 40, 200])
def test_the_labels_never_crowd(bars):
    text = str(charts.svg(histogram(list(range(bars + 1)), [1] * bars)))
    assert 2 <= text.count("<text") <= 7


@pytest.mark.parametrize(("edges", "counts"), [([0], []), ([0, 1], [0])])
def test_nothing_to_count_is_said(edges, counts):
    assert "nothing to count" in charts.svg(histogram(edges, counts))


@pytest.mark.parametrize(
    ("edges", "counts"), [([], []), ([0, 1], []), ([0], [1]), ([0, 1, 2], [1])]
)
def test_edges_are_one_more_than_counts(edges, counts):
    with pytest.raises(InputError, match="one edge more"):
        histogram(edges, counts)
