import re
import xml.etree.ElementTree as ET

import pytest

from openm3w.pipeline.report import sankey
from openm3w.shards.funnel import Stage


def stage(job, entered, kept, dropped=None, failed=None, unit="pages"):
    return Stage(
        job=job, unit=unit, entered=entered, kept=kept, dropped=dropped or {}, failed=failed or {}
    )


FUNNEL = [
    stage("documents", 41_217, 9_001, {"wrong_language": 30_000, "no_text": 2_201}, {"broken": 15}),
    stage("dedup", 9_001, 9_000, {"duplicate_url": 1}),
    stage("shards", 9_000, 37, {f"reason_{n}": 500 + n for n in range(17)}, {"bug": 327}),
]


def parsed(stages):
    return ET.fromstring(str(sankey.svg(stages)))  # noqa: S314


def shapes(svg, css):
    return [e for e in svg.iter() if css in e.get("class", "").split()]


def drawn_width(shape):
    """What the eye sees: the width of a rectangle, or of a band where it begins and ends."""
    if shape.tag == "rect":
        return float(shape.get("width"))
    numbers = [float(n) for n in re.findall(r"[\d.]+", shape.get("d"))]
    right, high = numbers[0], numbers[6]  # M right top V y Q right y bend HIGH
    low = float(re.search(r"H[\d.]+V([\d.]+)", shape.get("d"))[1])
    left = float(re.search(r" ([\d.]+) [\d.]+V[\d.]+Z", shape.get("d"))[1])
    assert right - left == pytest.approx(low - high, abs=0.002)
    return low - high


def test_every_stage_adds_up_in_the_picture_as_in_the_numbers():
    svg = parsed(FUNNEL)
    nodes = {n.get("data-job"): n for n in shapes(svg, "node")}
    flows = shapes(svg, "flow")
    assert list(nodes) == ["documents", "dedup", "shards"]
    kept_before = None
    for each in FUNNEL:
        mine = [f for f in flows if f.get("data-job") == each.job]
        entered = int(nodes[each.job].get("data-entered"))
        assert entered == each.entered == sum(int(f.get("data-count")) for f in mine)
        assert kept_before in (None, entered)
        by_kind = {
            kind: sum(int(f.get("data-count")) for f in mine if f.get("data-kind") == kind)
            for kind in ("kept", "dropped", "failed")
        }
        assert by_kind == {
            "kept": each.kept,
            "dropped": each.num_dropped,
            "failed": each.num_failed,
        }
        widths = sum(drawn_width(f) for f in mine)
        assert widths == pytest.approx(float(nodes[each.job].get("width")), abs=0.05)
        kept_before = by_kind["kept"]
    (end,) = [f for f in flows if f.get("data-kind") == "end"]
    assert int(end.get("data-count")) == kept_before == 37


def test_every_width_is_its_count_at_one_scale():
    svg = parsed(FUNNEL)
    scale = float(svg.get("data-scale"))
    assert scale * 41_217 == pytest.approx(sankey.STREAM)
    for flow in shapes(svg, "flow"):
        assert drawn_width(flow) == pytest.approx(int(flow.get("data-count")) * scale, abs=0.002)


def test_the_smallest_reasons_leave_together_by_kind():
    svg = parsed(FUNNEL)
    last = [f for f in shapes(svg, "flow") if f.get("data-job") == "shards"]
    names = [f.get("data-reason") for f in last if f.get("data-kind") != "kept"]
    assert len(names) == sankey.MOST_REASONS + 2
    # Nine of seventeen stand together; a kind's only one keeps its name.
    assert names[-2:] == ["9 other reasons", "bug"]
    (rest,) = [f for f in last if f.get("data-reason") == "9 other reasons"]
    assert int(rest.get("data-count")) == sum(500 + n for n in range(9))
    assert "reason 8 508, reason 7 507" in rest.find("title").text


def test_bands_never_cross():
    """Each begins left of the one before and ends below it."""
    ends = []
    for flow in shapes(parsed(FUNNEL[:1]), "flow"):
        if flow.tag == "path":
            numbers = [float(n) for n in re.findall(r"[\d.]+", flow.get("d"))]
            ends.append((-numbers[0], numbers[6]))
    assert ends == sorted(ends)
    assert len(ends) == 3


@pytest.mark.parametrize(
    "stages",
    [
        [stage("a", 2, 2), stage("b", 1, 1)],
        [stage("a", 2, 2), stage("b", 2, 2, unit="images")],
        [],
    ],
)
def test_what_does_not_follow_is_not_drawn(stages):
    with pytest.raises(ValueError, match=r"unit|entered"):
        sankey.svg(stages)


def test_nothing_entered_is_said():
    assert "nothing entered" in sankey.svg([stage("a", 0, 0)])


def test_a_long_or_hostile_reason_is_text_and_stays_in_its_line():
    name = "<script>alert(1)</script>" * 9
    svg = parsed([stage(name, 3, 1, {name: 2})])
    labels = [e.text for e in svg.iter("text")]
    assert any(label.startswith("<script>") and label.endswith("…") for label in labels)
    assert not list(svg.iter("script"))
