import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.store import Folder

SCHEMA = pa.schema([("row", pa.int64()), ("word", pa.string())])


def folder(tmp_path, fingerprint="f1"):
    return Folder(root=tmp_path / "job", fingerprint=fingerprint)


def write(target, unit, rows):
    with target.writing(unit, SCHEMA) as add:
        for row in rows:
            add(row)
    target.commit_sidecar(unit, counts={"n": len(rows)}, seconds={"read": 0.12345})


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1500])
def test_rows_come_back_in_order_whatever_their_number(tmp_path, count):
    rows = [{"row": i, "word": f"w{i}"} for i in range(count)]
    write(folder(tmp_path), "u", rows)

    assert list(folder(tmp_path).rows("u")) == rows
    assert [r["row"] for r in folder(tmp_path).rows("u", ["row"])] == list(range(count))


def test_a_unit_is_done_once_its_sidecar_is_there_with_the_same_fingerprint(tmp_path):
    target = folder(tmp_path)
    with target.writing("half", SCHEMA) as add:
        add({"row": 1, "word": "x"})
    write(target, "done", [])

    assert target.pending(["done", "half", "absent"]) == ["half", "absent"]
    assert folder(tmp_path, "f2").pending(["done"]) == ["done"]
    assert target.sidecar("done") == {
        "unit": "done",
        "fingerprint": "f1",
        "counts": {"n": 0},
        "seconds": {"read": 0.123},
    }


def test_what_is_forgotten_is_to_be_done_again_and_nothing_else_is(tmp_path):
    target, other = folder(tmp_path), Folder(root=tmp_path / "other", fingerprint="f1")
    for each in (target, other):
        write(each, "a", [{"row": 1, "word": "x"}])
    target.forget()
    target.forget()
    Folder(root=tmp_path / "nowhere", fingerprint="f1").forget()

    assert (target.pending(["a"]), other.pending(["a"])) == (["a"], [])
    assert len(list(target.rows("a"))) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}"])
def test_a_damaged_sidecar_means_that_the_unit_is_not_done(tmp_path, content):
    target = folder(tmp_path)
    write(target, "u", [])
    target.path("u", "json").write_bytes(content)

    assert target.pending(["u"]) == ["u"]


def test_an_error_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), folder(tmp_path).writing("u", SCHEMA) as add:  # noqa: PT012
        add({"row": 1, "word": "x"})
        raise RuntimeError

    assert list((tmp_path / "job").iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"PAR1 no more"])
def test_a_damaged_table_is_one_line_that_says_what_to_remove(tmp_path, damage):
    write(folder(tmp_path), "u", [{"row": 1, "word": "x"}])
    folder(tmp_path).path("u").write_bytes(damage)

    with pytest.raises(OutputError, match=r"u\.parquet: missing or damaged .* remove u\.json"):
        list(folder(tmp_path).rows("u"))


def test_equal_rows_give_equal_bytes(tmp_path):
    rows = [{"row": i, "word": "w"} for i in range(700)]
    one, two = folder(tmp_path / "one"), folder(tmp_path / "two")
    for target in (one, two):
        write(target, "u", rows)

    assert one.path("u").read_bytes() == two.path("u").read_bytes()


def test_the_table_or_sidecar_of_another_unit_is_not_taken_for_this_ones(tmp_path):
    target, other = folder(tmp_path), folder(tmp_path / "other", "f2")
    for unit in ("a", "b"):
        write(target, unit, [{"row": 1, "word": unit}])
    write(other, "a", [{"row": 1, "word": "of other digits"}])

    for wrong in (target.path("b"), other.path("a")):
        target.path("a").write_bytes(wrong.read_bytes())
        with pytest.raises(
            OutputError, match=r"a\.parquet: missing or damaged .it is f./[ab]\.par"
        ):
            list(target.rows("a", ["row"]))
    target.path("a", "json").write_bytes(target.path("b", "json").read_bytes())
    assert target.pending(["a", "b"]) == ["a"]


def test_a_table_that_does_not_say_whose_it_is_is_read(tmp_path):
    write(folder(tmp_path), "u", [])
    pq.write_table(pa.table({"row": [1], "word": ["x"]}), folder(tmp_path).path("u"))
    assert list(folder(tmp_path).rows("u")) == [{"row": 1, "word": "x"}]


def test_counts_are_those_of_the_units_that_are_committed(tmp_path):
    for unit, count in {"a": 1, "b": 2}.items():
        folder(tmp_path).commit_sidecar(unit, counts={"n": count}, seconds={})

    assert list(folder(tmp_path).counts(["b", "not there", "a"])) == [{"n": 2}, {"n": 1}]
    assert list(folder(tmp_path, "f2").counts(["a"])) == []
