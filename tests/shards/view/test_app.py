import asyncio
import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from textual.widgets import Input, Static

from openm3w.shards import manifest
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.manifest import Manifest
from openm3w.shards.view.app import Viewer
from openm3w.shards.view.document_pane import DocumentPane
from openm3w.shards.view.listing import Listing, describe
from openm3w.shards.writer import write_shard


@pytest.fixture
def viewed(tmp_path):
    """`viewed(manifest, *keys, ...)` presses keys in the viewer and gives what it shows at each."""

    def run(made, *keys, size=(140, 40), technique="line", **options):
        facts = Facts.open([made], folder=tmp_path / "cache")
        facts.fill()
        app = Viewer(Catalog([made]), facts, technique, **options)

        async def press():
            async with app.run_test(size=size) as pilot:
                await settled(pilot)
                for key in keys:
                    if len(key) > 1 and key.startswith("type "):
                        app.query_one("#ask", Input).value = key[5:]
                    else:
                        await pilot.press(key)
                    await settled(pilot)
                return Screen(app)

        return asyncio.run(press())

    return run


async def settled(pilot):
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()


class Screen:
    """What a viewer showed when it was asked."""

    def __init__(self, app):
        listing = app.query_one("#list", Listing)
        self.status = str(app.query_one("#status", Static).visual)
        self.cursor, self.numbers = listing.cursor, list(listing.numbers)
        self.lines = [listing.render_line(y).text for y in range(min(30, listing.size.height))]
        self.document = text_of(app.query_one("#document", DocumentPane))
        self.widgets = [type(each).__name__ for each in app.query_one("#document").children]
        self.focused = app.focused.id
        self.shown = {
            each.id for each in app.query("#list, #document") if each.display and each.size.width
        }
        self.exit = app._exit


def text_of(pane):
    console = Console(width=100, record=True, file=io.StringIO())
    for widget in pane.query(Static):
        console.print(widget.content)
    return console.export_text()


def test_the_first_document_stands_beside_the_list(dataset, viewed):
    shown = viewed(dataset())
    assert "Title 0" in shown.document
    assert "Opening words of document 0." in shown.document
    assert [line[2:].split()[0] for line in shown.lines[:6]] == list("123456")
    assert "Title 5" in shown.lines[5]
    assert shown.status == "6 documents"
    assert shown.focused == "list"


def test_keys_move_through_the_documents(dataset, viewed):
    made = dataset()
    assert "Title 2" in viewed(made, "n", "j").document
    assert "Title 1" in viewed(made, "n", "j", "p").document
    assert "Title 5" in viewed(made, "G").document
    assert "Title 5" in viewed(made, "G", "n", "n").document
    assert "Title 0" in viewed(made, "G", "g", "k").document
    assert "Title 5" in viewed(made, "pagedown").document


def test_a_filter_narrows_the_list_and_escape_widens_it(dataset, viewed):
    made = dataset()
    narrowed = viewed(made, "n", "slash", "type images:2", "enter")
    assert narrowed.numbers == [1, 4]
    assert "Title 1" in narrowed.document
    assert narrowed.status == "2 of 6 documents · images:2"
    assert viewed(made, "slash", "type images:2", "enter", "escape").numbers == list(range(6))
    assert viewed(made, query="images:2").numbers == [1, 4]
    nothing = viewed(made, "slash", "type nosuchword", "enter")
    assert nothing.numbers == []
    assert "nothing here" in nothing.document
    assert nothing.status.startswith("0 of 6")


def test_a_filter_that_cannot_be_meant_is_told_and_changes_nothing(dataset, viewed):
    shown = viewed(dataset(), "slash", "type langage:en", "enter")
    assert "did you mean 'language'?" in shown.status
    assert len(shown.numbers) == 6


def test_a_jump_goes_to_a_number_or_a_key(dataset, sample, viewed):
    made = dataset()
    assert "Title 3" in viewed(made, "colon", "type 4", "enter").document
    assert "Title 2" in viewed(made, "colon", f"type {sample(2).key[:9]}", "enter").document
    assert "no sample 'zz'" in viewed(made, "colon", "type zz", "enter").status
    assert "Title 0" in viewed(made, "colon", "type ", "enter").document


def test_marked_keys_are_exported_in_the_order_of_the_list(dataset, sample, viewed, tmp_path):
    made, file = dataset(), tmp_path / "keys.txt"
    shown = viewed(made, "G", "m", "g", "m", "m", "p", "m", "x", f"type {file}", "enter")
    assert file.read_text() == f"{sample(0).key}\n{sample(5).key}\n"
    assert "2 keys" in shown.status
    assert [line[0] for line in shown.lines[:6]] == ["●", " ", " ", " ", " ", "●"]
    shown = viewed(made, "slash", "type images:2", "enter", "M", "x", f"type {file}", "enter")
    assert file.read_text() == f"{sample(1).key}\n{sample(4).key}\n"


def test_nothing_marked_is_nothing_to_export(dataset, viewed, tmp_path):
    assert "nothing is marked" in viewed(dataset(), "x").status
    there = viewed(dataset(), "m", "x", f"type {tmp_path}/no/keys.txt", "enter")
    assert "there is no folder" in there.status


def test_narrow_terminals_show_list_or_document(dataset, viewed):
    made = dataset()
    assert viewed(made, size=(99, 30)).shown == {"list"}
    assert viewed(made, "enter", size=(99, 30)).shown == {"document"}
    assert viewed(made, "enter", "escape", size=(99, 30)).shown == {"list"}
    assert viewed(made, size=(100, 30)).shown == {"list", "document"}


def test_excluded_documents_are_in_no_list(dataset, sample, viewed):
    shown = viewed(dataset(exclude=[sample(0).key, sample(3).key]))
    assert shown.numbers == [1, 2, 4, 5]
    assert "Title 1" in shown.document
    assert "Title 0" not in "\n".join([shown.document, *shown.lines])


def test_a_damaged_shard_is_told_and_the_others_are_shown(dataset, viewed):
    made = dataset()
    path = made.root / made.shards[1].url
    path.write_bytes(path.read_bytes()[:-2000])
    shown = viewed(made, "colon", "type 4", "enter")
    assert "damaged" in shown.document
    assert "1 damaged shard" in shown.status
    assert "Title 5" in viewed(made, "G").document


def test_what_the_web_wrote_reaches_no_terminal(tmp_path, sample, viewed):
    first = sample(0)
    evil = "\x1b]0;owned\x07[bold]T\u202eitle[/bold]"
    document = replace(first.document, title=evil, url="http://x.example/\x1b[2J")
    root = tmp_path / "set"
    entry = write_shard(
        root,
        "data/train-000000.tar",
        [replace(first, document=document)],
        kind="interleaved",
        split="train",
    )
    made = Manifest(name="\x1b[31mred", kind="interleaved", shards=(entry,), root=root)
    manifest.write(made)
    shown = viewed(made)
    everything = "\n".join([*shown.lines, shown.document, shown.status])
    assert "\x1b" not in everything
    assert "\u202e" not in everything
    assert "[bold]Title[/bold]" in shown.lines[0]
    assert "[bold]Title[/bold]" in shown.document


@pytest.mark.parametrize(
    ("technique", "widget"), [("blocks", "Static"), ("sixel", "Image"), ("kitty", "TGPImage")]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pictures_are_drawn_as_the_terminal_can(dataset, viewed, technique, widget):
    shown = viewed(dataset(), technique=technique)
    assert widget in shown.widgets
    assert "picture 1 · 64 x 48" in shown.document


def test_a_line_of_the_list_fits_its_room(dataset):
    facts = Facts.open([dataset()])
    facts.fill()
    (row, *_) = facts.rows()
    facts.close()
    for columns in (10, 30, 31, 80):
        line = describe(replace(row, title="電車" * 40), "1,234,568", columns)
        assert cell_len(line) == columns or columns < 30
    assert "0.20" in describe(row, "1", 60)
    assert "en" in describe(row, "1", 60)
