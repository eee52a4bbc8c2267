import csv
import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openm3w.errors import InputError
from openm3w.pipeline.tables import delimited
from openm3w.pipeline.tables.delimited import headerless, read_delimited, read_head

COMMA, TAB = ",", "\t"


@pytest.fixture
def read(tmp_path):
    """`read(b"a,b\\n1,2\\n", ",")`: what each row holds, or its error, by number."""

    def make(data, delimiter=COMMA):
        path = tmp_path / "t"
        path.write_bytes(data)
        head = read_head(path, delimiter)
        rows = list(read_delimited(path, delimiter, head))
        assert [row.number for row in rows] == list(range(len(rows)))
        return [row.error or [row.values[name] for name in head.columns] for row in rows]

    return make


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_rows_are_read_however_they_are_packed_and_ended(read, pack, end, bom):
    lines = [b"url,text", b"a,one", b"", b'b,"two, ""2"""', b'c,"three\n\nlines"', "d,é".encode()]

    assert read(pack(bom + end.join(lines))) == [
        ["a", "one"],
        ["b", 'two, "2"'],
        ["c", "three\n\nlines"],
        ["d", "é"],
    ]


CELLS = st.text(st.one_of(st.sampled_from('",\t\r\n\0 \ufeff'), st.characters(codec="utf-8")))


@given(st.lists(st.tuples(CELLS, CELLS)), st.sampled_from([COMMA, TAB]))
def test_whatever_a_csv_writer_writes_is_read(tmp_path_factory, rows, delimiter):
    if delimiter == TAB:  # of a cell with both, lines may look like rows
        rows = [tuple(c.replace("\t", " ") if "\n" in c else c for c in row) for row in rows]
    path = tmp_path_factory.mktemp("x") / "t"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("a", "b"), *rows])

    found = list(read_delimited(path, delimiter, read_head(path, delimiter)))

    assert [(row.values.get("a"), row.values.get("b")) for row in found] == rows


@given(st.binary(), st.sampled_from([COMMA, TAB]))
def test_any_bytes_end_in_rows_of_consecutive_numbers(tmp_path_factory, data, delimiter):
    path = tmp_path_factory.mktemp("x") / "t"
    path.write_bytes(data)
    head = delimited.Head(columns=("a", "b"), is_row=True)

    found = list(read_delimited(path, delimiter, head))

    assert [row.number for row in found] == list(range(len(found)))
    assert len(found) <= data.count(b"\n") + 1


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"x", "wrong_number_of_fields"),
        (b"x,y,z", "wrong_number_of_fields"),
        (b"x,\xff", "not_utf8"),
        (b'x,"y" z', "malformed_csv"),
        (b"x,y\rz", "malformed_csv"),
        (b'x,"y', "malformed_csv"),
    ],
)
def test_a_damaged_row_costs_only_itself(read, line, error):
    rows = read(b"url,text\na,one\n" + line + b"\nb,two\nc,three\n")

    assert rows == [["a", "one"], error, ["b", "two"], ["c", "three"]]


def test_nul_is_a_character(read):
    assert read(b"url,text\na,o\0ne\n") == [["a", "o\0ne"]]


@pytest.mark.parametrize("closing", [b'd,"four"\n', b""])
def test_a_quote_that_is_not_closed_does_not_take_the_rows_below(read, closing):
    rows = read(b'url,text\na,"one\nb,two\nc,three\n' + closing)

    assert rows[:3] == ["malformed_csv", ["b", "two"], ["c", "three"]]
    assert rows[3:] == ([["d", "four"]] if closing else [])


@pytest.mark.parametrize(("spare", "error"), [(0, None), (-1, "row_too_long")])
def test_the_longest_row_is_inclusive_be_it_one_line_or_several(read, monkeypatch, spare, error):
    for row in (b"a," + b"x" * 50 + b"\n", b'a,"' + b"x" * 25 + b"\n" + b"x" * 20 + b'"\n'):
        monkeypatch.setattr(delimited, "MAX_ROW_BYTES", len(row) + spare)
        before, long, *rest = read(b"url,text\na,b\n" + row + b"c,d\n")

        assert before == ["a", "b"]
        assert (long == error) == (error is not None)
        assert rest[-1] == ["c", "d"]


def test_a_line_longer_than_memory_should_be_is_skipped_piece_by_piece(read, monkeypatch):
    monkeypatch.setattr(delimited, "MAX_ROW_BYTES", 100)

    rows = read(b"url,text\na,b\n" + b"x" * 5_000_000 + b"\nc,d\n")

    assert rows == [["a", "b"], "row_too_long", ["c", "d"]]


def test_reading_again_is_bounded_whatever_the_quotes_are(tmp_path, monkeypatch):
    # Each of these lines leaves a quote open, be it read inside of quotes or outside.
    monkeypatch.setattr(delimited, "MAX_ROW_BYTES", 10_000)
    path = tmp_path / "t.csv"
    path.write_bytes(b"url,text\n" + b'a",",c\n' * 20_000)
    handed = 0

    class Counting(delimited._Lines):
        def __next__(self):
            nonlocal handed
            line = super().__next__()
            handed += len(line)
            return line

    monkeypatch.setattr(delimited, "_Lines", Counting)
    rows = list(read_delimited(path, COMMA, delimited.Head(columns=("url", "text"), is_row=False)))

    assert {row.error for row in rows} == {"row_too_long", "malformed_csv"}
    assert handed < 3 * path.stat().st_size


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_cut_file_ends_with_its_damage_after_the_rows_before_it(tmp_path, compress):
    text = b"url,text\n" + b"".join(b"%d,%s\n" % (n, str(n**50).encode()) for n in range(5000))
    path = tmp_path / "t.csv.gz"
    path.write_bytes((packed := compress(text))[: len(packed) // 2])

    *whole, last = read_delimited(path, COMMA, read_head(path, COMMA))

    assert last.error == "damaged_file"
    assert [row.values["url"] for row in whole if not row.error] == list(
        map(str, range(len(whole)))
    )


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        (["a caption", "http://x.org/a.jpg"], ("caption", "url")),
        (["HTTPS://x.org/a.jpg", "a caption"], ("url", "caption")),
        (["caption", "url"], ()),
        (["http://x.org/a", "http://x.org/b"], ()),
        (["http://x.org/a.jpg", "a caption", "0.3"], ()),
        (["http://x.org/a.jpg"], ()),
        (["see http://x.org/a.jpg", "url"], ()),
        ([], ()),
    ],
)
def test_a_first_line_with_one_url_in_two_fields_is_a_row(fields, columns):
    assert headerless(fields) == columns


def test_cc3m_and_cc12m_as_they_are_published(read):
    cc3m = b'"a cat" on a mat\thttp://x.org/a.jpg\na "dog\thttp://x.org/b.jpg\n"c\thttp://c\n'
    cc12m = b'http://x.org/a.jpg\t"a cat\nhttp://x.org/b.jpg\ta dog "\n'

    assert read(cc3m, TAB) == [
        ['"a cat" on a mat', "http://x.org/a.jpg"],
        ['a "dog', "http://x.org/b.jpg"],
        ['"c', "http://c"],
    ]
    assert read(cc12m, TAB) == [
        ["http://x.org/a.jpg", '"a cat'],
        ["http://x.org/b.jpg", 'a dog "'],
    ]


def test_csv_without_a_header_has_quotes(read):
    assert read(b'"a cat, a mat",http://x.org/a.jpg\n') == [["a cat, a mat", "http://x.org/a.jpg"]]


def test_tsv_with_a_header_is_read_with_quotes_and_where_there_are_none_without(read):
    rows = read(b'url\ttext\na\t"one\ttwo"\nb\t"three" four\nc\t"five\nd\tsix\ne\t"7" 8\t9\n', TAB)

    assert rows == [
        ["a", "one\ttwo"],
        ["b", '"three" four'],
        ["c", '"five'],
        ["d", "six"],
        "malformed_csv",
    ]


def test_of_two_columns_of_one_name_the_first_is_read(read):
    assert read(b"url,text,url\na,one,b\n") == [["a", "one", "a"]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it has no lines"),
        (b"\n\r\n", "it has no lines"),
        ("url,text\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"url,t\xff\n", "its first line cannot be read"),
        (b'url,"text\na,b\n', "its first line cannot be read"),
        (gzip.compress(b"url,text\n" * 9, mtime=0)[:14], "cannot be read: Compressed file ended"),
    ],
)
def test_a_head_that_cannot_be_read_is_one_line(tmp_path, data, message):
    path = tmp_path / "t.csv"
    path.write_bytes(data)

    with pytest.raises(InputError, match=message) as caught:
        read_head(path, COMMA)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


SWALLOWED = b"""url\tcaption
http://x/1\t"5 inch screen
http://x/2\tsecond
http://x/3\tof 6 "
http://x/4\tfourth
http://x/5\t"Quoted" by someone
http://x/6\t"open

http://x/7\tseven
http://x/8\tis 5"
"""


def test_a_quote_in_tsv_that_a_later_row_closes_takes_no_row_in(read):
    assert read(SWALLOWED, TAB) == [
        ["http://x/1", '"5 inch screen'],
        ["http://x/2", "second"],
        ["http://x/3", 'of 6 "'],
        ["http://x/4", "fourth"],
        ["http://x/5", '"Quoted" by someone'],
        ["http://x/6", '"open'],
        ["http://x/7", "seven"],
        ["http://x/8", 'is 5"'],
    ]


def test_tsv_without_urls_is_told_by_lines_that_are_all_whole(read):
    whole = b'id\ttext\n1\t"one\n2\ttwo\n3\tthree"\n4\tfour\n'
    assert read(whole, TAB) == [["1", '"one'], ["2", "two"], ["3", 'three"'], ["4", "four"]]
    for between in (b"two", b"2\ttwo\t2"):
        one = read(whole.replace(b"2\ttwo", between), TAB)
        assert one == [["1", f"one\n{between.decode()}\n3\tthree"], ["4", "four"]]


def test_a_damaged_line_between_is_one_row_where_urls_tell_the_others(read):
    damaged = SWALLOWED.replace(b"http://x/2\tsecond", b"http://x/2\tsecond\t2")
    assert read(damaged, TAB)[:4] == [
        ["http://x/1", '"5 inch screen'],
        "wrong_number_of_fields",
        ["http://x/3", 'of 6 "'],
        ["http://x/4", "fourth"],
    ]


@pytest.mark.parametrize(
    ("data", "cell"),
    [
        (b'url\ttext\nhttp://x/1\t"one\ntwo"\n', "one\ntwo"),
        (b'url\ttext\nhttp://x/1\t"one\nhttp://x/2\ttwo\nthree"\n', "one\nhttp://x/2\ttwo\nthree"),
        (b'url\ttext\nhttp://x/1\t"one\ttwo\nhttp://x/2\tthree"\n', "one\ttwo\nhttp://x/2\tthree"),
        (b'text\n"one\nhttp://x/2"\n', "one\nhttp://x/2"),
    ],
)
def test_a_cell_of_tsv_that_truly_has_lines_stays_one(read, data, cell):
    ((*_, found),) = read(data, TAB)
    assert found == cell


@pytest.mark.parametrize(
    ("head", "row"), [(b"url,text", b"http://x/%d,%s"), (b"text,url", b"%s,http://x/%d")]
)
def test_a_quote_in_csv_that_takes_rows_with_urls_in_costs_its_own_row_alone(read, head, row):
    texts = [b'"5 inch screen, open', b"second", b'of 6 "', b'"fourth, quoted"']
    order = head.startswith(b"url")
    lines = [row % ((n, text) if order else (text, n)) for n, text in enumerate(texts, 1)]

    rows = read(b"\n".join([head, *lines]))

    places = (0, 1) if order else (1, 0)
    assert rows[0] == "malformed_csv"
    assert [tuple(found[at] for at in places) for found in rows[1:]] == [
        ("http://x/2", "second"),
        ("http://x/3", 'of 6 "'),
        ("http://x/4", "fourth, quoted"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        b'http://x/1,"one\ntwo, three"',
        b'http://x/1,"one\nhttp://x/2, two\nand three"',
        b'http://x/1,"one\nhttp://x/2, two, three"',
        b'http://x/1,"see\nx, http://x/2"',
        b'1,"one\nhttp://x/2, two"',
    ],
)
def test_a_cell_of_csv_with_lines_that_are_no_rows_with_urls_stays_one(read, row):
    ((first, text),) = read(b"url,text\n" + row + b"\n")
    assert f'{first},"{text}"' == row.decode()
