"""Text of lists, tables and code, and white space, as a reader of the page sees them."""

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.lists import MAX_INDENT
from openm3w.shards.document import Image, Text

URL = "https://mill.example/wheel/"
FIRST = (
    "The mill stood empty for thirty years before the cooperative bought it, repaired the wheel"
    " and found that the old stones still ground finer flour than anybody had expected."
)
LAST = (
    "Grain comes from eleven farms along the river, and each sack carries the name of the field"
    " that it grew in, so that bakers can ask for the same field again next year."
)


def between(html: str) -> str:
    """Text of what stands between two paragraphs, images as their names in angle brackets."""
    parts = [
        span.text if isinstance(span, Text) else f"<{span.url.rpartition('/')[2]}>"
        for span in extract(f"<main><p>{FIRST}</p>{html}<p>{LAST}</p></main>", URL).spans
    ]
    found = "\n\n".join(parts)
    assert found.startswith(f"{FIRST}\n\n")
    assert found.endswith(f"\n\n{LAST}")
    return found[len(FIRST) + 2 : -len(LAST) - 2]


def table(*rows: str) -> str:
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


HEADER = "<th>Fruit</th><th>Field</th><th>Sacks</th>"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [HEADER, "<td>Apples<td><td>17", "<td>Pears<td>North<td>8"],
            "Fruit | Field | Sacks\nApples | | 17\nPears | North | 8",
        ),
        (
            ["<th></th><th>2023</th><th>2024</th>", "<th>Rye<td>3<td>5"],
            "| 2023 | 2024\nRye | 3 | 5",
        ),
        ([HEADER, "<td><td><td>17", "<td>Pears<td>&nbsp;<td>8"],
         "Fruit | Field | Sacks\n| | 17\nPears | | 8"),
        # Columns without anything, and cells that are not shown, are none.
        (["<th>Rye<td width=9><td>3", "<th>Oats<td width=9><td>5"], "Rye | 3\nOats | 5"),
        (["<th>Rye<td hidden>03<td>3", "<th>Oats<td hidden>05<td>5"], "Rye | 3\nOats | 5"),
        (
            ["<th rowspan=2>Fruit<th colspan=2>Sacks", "<th>2023<th>2024", "<td>Rye<td>3<td>5"],
            "Fruit | Sacks\n| 2023 | 2024\nRye | 3 | 5",
        ),
        (
            ["<th colspan=2>Rye<th>Oats", "<td>2023<td>2024<td>2024"],
            "Rye | | Oats\n2023 | 2024 | 2024",
        ),
        (
            [HEADER, "<td>Apples<td><p>North</p><p>and South</p><td>17"],
            "Fruit | Field | Sacks\nApples | North and South | 17",
        ),
        ([HEADER, "<td>Apples<td>North<br>field<td>17"],
         "Fruit | Field | Sacks\nApples | North field | 17"),
    ],
    ids=["empty", "corner", "first", "spacer", "hidden", "reaching down", "reaching over", "two paragraphs", "line break"],
)  # fmt: skip
def test_cells_of_a_table_keep_their_columns(rows: list[str], text: str) -> None:
    assert between(table(*rows)) == text


def test_a_table_without_rows_is_one_row() -> None:
    rows = "<table><tr><td>Rye<td>3</table>"
    assert between(rows) == between(rows.replace("<tr>", "")) == "Rye | 3"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<p>Grain</p><p>and flour</p>", "Mill\n\nGrain\n\nand flour"),
        (f"{LAST * 4}", f"Mill\n\n{LAST * 4}"),
        ("<table><tr><td>Grain</table>", "Mill\n\nGrain"),
        ("<pre>a\nb</pre>", "Mill\n\na\nb"),
    ],
    ids=["paragraphs", "long text", "a table", "code"],
)
def test_tables_that_lay_out_a_page_give_paragraphs(cell: str, text: str) -> None:
    assert between(table(f"<td>Mill<td>{cell}")) == text


def test_an_image_in_a_row_does_not_move_its_cells() -> None:
    rows = table(HEADER, "<td>Apples<td><img src=a.jpg><td>17", "<td>Pears<td>North<td>8")
    assert between(rows) == ("Fruit | Field | Sacks\nApples\n\n<a.jpg>\n\n17\nPears | North | 8")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<ol start='-1'><li>a<li>b</ol>", "-1. a\n0. b"),
        ("<ol start=x><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol start=99999999999999999999><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol reversed><li>a<li>b<li>c</ol>", "3. a\n2. b\n1. c"),
        ("<ol reversed start=9><li>a<li>b</ol>", "9. a\n8. b"),
        ("<ol class=reversed><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"),
        ("<ul><li value=7>a<li>b</ul>", "- a\n- b"),
        ("<ol><li>a<ol start=5><li>b</ol><li>c</ol>", "1. a\n  5. b\n2. c"),
        ("<ol><li>a<li><img src=b.jpg><li>c</ol>", "1. a\n\n<b.jpg>\n\n3. c"),
        ("<ol><li>a<li hidden>b<li>c</ol>", "1. a\n2. c"),
        ("<dl><dt>Gap<dd>Of the stones<dd>Of the doors<dt>Speed<dd>In turns</dl>",
         "Gap\n  Of the stones\n  Of the doors\nSpeed\n  In turns"),
    ],
)  # fmt: skip
def test_items_have_the_numbers_that_the_page_shows(html: str, text: str) -> None:
    assert between(html) == text


LINES = "".join(f"<div class=line>{line}</div>" for line in ("if open:", "", "    run()"))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"<pre>{LINES}</pre>", "if open:\n\n    run()"),
        (f"<pre><code>{LINES}</code></pre>", "if open:\n\n    run()"),
        ("<pre><div>a</div><div><br></div><div> </div><div>b</div></pre>", "a\n\n\nb"),
        ("<pre>a<div>b</div>c</pre>", "a\nb\nc"),
        ("<pre>a</pre><pre>b</pre>", "a\n\nb"),
        ("<pre>a\r\n b\rc</pre>", "a\n b\nc"),
        ("<pre>a&#13;b</pre>", "a\nb"),
    ],
)
def test_lines_of_code_are_lines_however_they_are_written(html: str, text: str) -> None:
    assert between(html) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("日本語の文章はここで\n改行します", "日本語の文章はここで改行します"),
        ("第一段。\r\n\t  「第二」", "第一段。「第二」"),
        ("日本語の 文章 です", "日本語の 文章 です"),
        ("中文\nLatin\n中文", "中文 Latin 中文"),
        ("한국어 문장은\n여기서", "한국어 문장은 여기서"),
        ("漢字\n한글\n漢字", "漢字 한글 漢字"),
        ("a mill\non a river – the\nLark", "a mill on a river – the Lark"),
        ("<span>文章は</span>\n<b>ここで</b>", "文章はここで"),
        ("文章は<br>\nここで", "文章は\nここで"),
        ("\u200fטחנה\u200e (mill)", "\u200fטחנה\u200e (mill)"),
    ],
)
def test_a_line_end_of_the_markup_is_a_space_where_words_have_spaces(text: str, shown: str) -> None:
    assert between(f"<p>{text}</p>") == shown


def test_what_an_image_says_is_repaired_as_the_text_is() -> None:
    html = (
        "<title>The cafÃ© of Rene\u0301</title><main>"
        f"<p>{FIRST}</p><img src=a.jpg alt='CafÃ©\nde\u00adRene\u0301' title='\x93Ã©tÃ©\x94'>"
        f"<p>{LAST}</p></main>"
    )
    found = extract(html, URL)
    (image,) = (span for span in found.spans if isinstance(span, Image))
    assert (image.alt, image.title) == ("Café deRené", "“été”")
    assert found.title == "The café of René"
    shared = f"<meta property=og:title content='LÃ\u00a0-bas\x07 Ã©tÃ©'>{html}"
    assert extract(shared, URL).title == "Là-bas été"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "row", ["<tr><td rowspan=999 colspan=999>a<td>b", "<tr>" + "<td rowspan=99>a<td>" * 99]
)
def test_cells_that_reach_far_cost_little(row: str) -> None:
    rows = row * (60_000 // row.count("<"))
    assert extract(f"<main><p>{FIRST}</p><table>{rows}</table></main>", URL).spans


@pytest.mark.parametrize(
    "code",
    [
        "<pre>    <span>run()</span>\n    <b>stop()</b></pre>",
        "<pre><div class=line>    <span>run()</span></div><div class=line>    stop()</div></pre>",
    ],
)
def test_the_first_line_of_code_keeps_its_indentation(code: str) -> None:
    assert between(code) == "    run()\n    stop()"


def test_lists_that_nobody_closed_do_not_move_the_text_off_the_page() -> None:
    items = "".join(f"<ul><li>Item number {number} of the list" for number in range(12))
    lines = between(f"{items}{'</ul>' * 12}").split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines]
    assert indents == [*range(0, 2 * MAX_INDENT, 2), *[2 * MAX_INDENT] * 4]
