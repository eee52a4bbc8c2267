import pytest

from openm3w.pipeline.jobs.dedup import PASSES, Reference, mark


def reference(**fields):
    about = {"unit": "u", "row": 0, "doc_id": "d", "url_key": "k", "text_hash": "t"}
    return Reference(**{**about, "fetched": "2020", "images": 1, "reason": "", **fields})


def marked(reason, references):
    rank = next(rank for name, _, rank in PASSES if name == reason)
    forwards = {r.row: r.reason for r in mark(references, reason, rank)}
    backwards = {r.row: r.reason for r in mark(references[::-1], reason, rank)}
    assert forwards == backwards
    return [row for row, found in sorted(forwards.items()) if found]


def test_of_one_url_the_latest_capture_stays():
    dates = ["2020-01-01", "2024-01-01", "2023-12-31"]
    group = [reference(row=i, fetched=date, doc_id=f"d{i}") for i, date in enumerate(dates)]

    assert marked("duplicate_url", group) == [0, 2]


@pytest.mark.parametrize("reason", ["duplicate_url", "duplicate_text"])
def test_ties_go_to_the_smallest_id(reason):
    group = [reference(row=i, doc_id=name) for i, name in enumerate("cab")]

    assert marked(reason, group) == [0, 2]


def test_of_one_record_in_two_archives_the_first_stays():
    group = [reference(row=1, unit="b"), reference(row=2, unit="a"), reference(row=0, unit="b")]

    assert marked("duplicate_record", group) == [0, 1]


def test_one_reference_is_held_while_a_group_of_any_size_passes():
    drawn = 0

    def group():
        nonlocal drawn
        for row in range(1000):
            drawn += 1
            yield reference(row=row, doc_id=f"{(row * 37) % 1000:04d}")

    out = mark(group(), "duplicate_text", lambda r: r.doc_id)
    for passed in range(1, 1000):
        assert next(out).reason == "duplicate_text"
        assert drawn == passed + 1
    assert [(r.row, r.reason) for r in out] == [(0, "")]


def test_of_equals_in_every_rank_the_one_met_first_stays():
    group = [reference(row=row) for row in range(3)]

    assert [r.row for r in mark(group, "x", lambda r: r.doc_id) if not r.reason] == [0]


def test_a_document_alone_is_never_marked():
    assert all(marked(name, [reference()]) == [] for name, _, _ in PASSES)
