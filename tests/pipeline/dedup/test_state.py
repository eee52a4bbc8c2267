import json
from pathlib import Path

import apache_beam as beam
import pytest

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.filters.dedup.minhash import MinHash
from openm3w.pipeline.dedup.frequency import Totals
from openm3w.pipeline.dedup.passes import MarkDuplicates
from openm3w.pipeline.dedup.settings import Near
from openm3w.pipeline.dedup.state import Crawl, State
from openm3w.pipeline.dedup.tables import COUNTS, ENTRIES, ReadEntries, ReadTable, WriteTable
from openm3w.pipeline.runners import Runner, run

pytestmark = pytest.mark.beam
MINHASH = MinHash()


def save(state, crawl, rows, schema=ENTRIES, table="entries", parts=3, runner="local"):
    write = WriteTable(state.folder(crawl), table, schema, parts)
    run(Runner(name=runner, workers=2), lambda p: p | beam.Create(list(rows)) | write)
    return state.commit(crawl, [table])


class MarkAgainst(beam.PTransform):
    """What a run over one crawl marks against a state."""

    def __init__(self, state, name, near):
        super().__init__()
        self.files, self.near = state.files("entries", before=name), near

    def expand(self, new):
        old = new.pipeline | "State" >> ReadEntries(self.files)
        return (old, new) | "Both" >> beam.Flatten() | "Mark all" >> MarkDuplicates(self.near)


@pytest.mark.parametrize(
    ("near", "runner"),
    [(Near(), "local-mp"), (Near(verify=0.7, rounds=3), "local")],
    ids=str,
)
def test_a_second_crawl_against_the_state_marks_what_one_run_over_both_marks(
    collect, entries, by_hand, tmp_path, near, runner
):
    # One seed: the second crawl has the first one's stories, URLs and dates among its own.
    first, second = entries(120, 5, "a"), entries(160, 5, "b")
    state = save(State.read(tmp_path / "state", MINHASH), CRAWL, first)
    both = by_hand(first + second, near)

    state = State.read(tmp_path / "state", MINHASH)
    against = collect(MarkAgainst(state, "crawl-2", near), second, runner)

    assert against == both
    names = {entry.name for entry in second}
    assert {(m.name in names, m.first in names) for m in both} >= {(True, False), (False, True)}, (
        "nothing was shared"
    )


def test_a_third_crawl_meets_both_before_it(collect, entries, by_hand, tmp_path):
    crawls = {f"crawl-{number}": entries(80, number, f"n{number}") for number in (1, 2, 3)}
    state = State.read(tmp_path, MINHASH)
    for name, rows in crawls.items():
        state = save(state, Crawl(name=name, fingerprint="f"), rows)

    (first, second, third) = crawls.values()
    expected = by_hand(first + second + third, Near())
    assert collect(MarkAgainst(state, "crawl-3", Near()), third) == expected
    assert state.files("entries", before="crawl-1") == []


def test_counts_of_earlier_crawls_add_up(collect, tmp_path):
    state = State.read(tmp_path, MINHASH)
    for name, rows in {"a": [(b"\xff", 2), (b"x", 9)], "b": [(b"\xff", 3)]}.items():
        state = save(state, Crawl(name=name, fingerprint="f"), rows, COUNTS, "paragraphs")

    files = state.files("paragraphs", before="c")
    assert collect(Totals(), ReadTable(files)) == [(b"x", 9), (b"\xff", 5)]


CRAWL = Crawl(name="crawl-1", fingerprint="f1")


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.name: path.read_bytes() for path in files}


def test_equal_rows_make_equal_bytes_on_both_runners(entries, tmp_path):
    rows = entries(100)
    one = save(State.read(tmp_path / "one", MINHASH), CRAWL, rows)
    other = save(State.read(tmp_path / "other", MINHASH), CRAWL, rows[::-1], runner="local-mp")

    assert contents(one.root) == contents(other.root)
    assert sorted(contents(one.root)) == [
        *(f"entries-0000{part}-of-00003.parquet" for part in range(3)), "state.json"]  # fmt: skip


def test_a_crawl_without_rows_is_in_the_state_too(collect, tmp_path):
    state = save(State.read(tmp_path, MINHASH), CRAWL, [], parts=1)

    assert len(state.files("entries", before="next")) == 1
    assert collect(beam.Map(tuple), ReadEntries(state.files("entries", before="next"))) == []


def test_what_was_not_committed_is_not_there(entries, tmp_path):
    state = State.read(tmp_path, MINHASH)
    write = WriteTable(state.folder(CRAWL), "entries", ENTRIES, 2)
    run(Runner(), lambda p: p | beam.Create(entries(20)) | write)

    assert State.read(tmp_path, MINHASH).files("entries", before="next") == []


def test_a_crawl_that_is_run_again_gives_way_in_its_place(tmp_path):
    state = State.read(tmp_path, MINHASH)
    for crawl in (CRAWL, Crawl(name="crawl-2", fingerprint="f"),
                  Crawl(name="crawl-1", fingerprint="f2")):  # fmt: skip
        state = save(state, crawl, [], parts=1)

    again = State.read(tmp_path, MINHASH)
    assert again == state
    assert [(crawl.name, crawl.fingerprint) for crawl in again.crawls] == [
        ("crawl-1", "f2"), ("crawl-2", "f")]  # fmt: skip


def test_other_settings_are_refused(tmp_path):
    save(State.read(tmp_path, MINHASH), CRAWL, [])

    for other in (MinHash(seed=2), MinHash(bands=15), MinHash(words=4)):
        with pytest.raises(InputError, match=r"state\.json: made with minhash .* start a new"):
            State.read(tmp_path, other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 2, "minhash": {}}',
        '{"version": 2, "minhash": {}, "crawls": [{}]}',
        '{"version": 2, "minhash": {}, "crawls": [3]}',
    ],
)
def test_what_is_no_state_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "state.json").write_text(text)

    with pytest.raises(InputError, match=r"state\.json: [^\n]*start a new folder$"):
        State.read(tmp_path, MINHASH)


def test_missing_and_damaged_files_are_named(collect, tmp_path):
    state = save(State.read(tmp_path, MINHASH), CRAWL, [], parts=1)
    (name,) = state.files("entries", before="next")
    Path(name).write_bytes(b"PAR1 and no more")
    with pytest.raises(OutputError, match=r"entries-00000-of-00001\.parquet: missing or damaged"):
        collect(beam.Map(tuple), ReadEntries([name]))
    Path(name).unlink()
    with pytest.raises(OutputError, match=r"parquet: missing, but .*state\.json names it"):
        state.files("entries", before="next")


def test_a_crawl_that_was_entered_meanwhile_is_no_loss(tmp_path):
    seen = State.read(tmp_path, MINHASH)
    seen.commit(CRAWL, [])

    with pytest.raises(OutputError, match="another run entered a crawl before crawl-2"):
        seen.commit(Crawl(name="crawl-2", fingerprint="f"), [])
    again = State.read(tmp_path, MINHASH)
    assert [crawl.name for crawl in again.crawls] == ["crawl-1"]
    # One that comes behind takes nothing from those before it.
    again.commit(Crawl(name="crawl-2", fingerprint="f"), [])
    assert again.holds(CRAWL)
    assert not again.holds(Crawl(name="crawl-1", fingerprint="f2"))
    seen.commit(Crawl(name="crawl-1", fingerprint="f2"), [])
    assert [crawl.fingerprint for crawl in State.read(tmp_path, MINHASH).crawls] == ["f2", "f"]


@pytest.mark.parametrize("name", ["state.json", "crawl.json", "", "../up", ".hidden", "a/b", "a b"])
def test_a_name_that_is_no_folders_is_refused(name):
    with pytest.raises(RecipeError, match="cannot be a folder's name"):
        Crawl(name=name, fingerprint="f")
    with pytest.raises(RecipeError, match="cannot be a folder's name"):
        Crawl(name="a", fingerprint=name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd"])
def test_a_state_names_nothing_outside_itself(name, tmp_path):
    State.read(tmp_path, MINHASH).commit(Crawl(name="a", fingerprint="f"), [])
    path = tmp_path / "state.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    value["crawls"][0]["files"] = {"entries": [name]}
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(InputError, match="outside the state"):
        State.read(tmp_path, MINHASH)
