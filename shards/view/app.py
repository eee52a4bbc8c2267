"""`m3w view` at a terminal: a list of documents, and the one at the cursor beside it.

The first document is on the screen before any other is looked at. What the list says and what
filters ask is read meanwhile, shard by shard, in a thread of its own.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.widgets import Footer, Input, Static

from openm3w.errors import OpenM3WError
from openm3w.shards import commit
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.numbered import Numbered
from openm3w.shards.catalog.query import Query
from openm3w.shards.terminal import clean_line, counted
from openm3w.shards.view.document_pane import DocumentPane
from openm3w.shards.view.listing import Listing
from openm3w.shards.view.pictures import Technique

NARROW = 100
"""Columns below which list and document take turns."""

_EXAMPLE = "words, lang:en, images:2.., similarity:0.2..0.4, domain:example.org, dropped:few"
_QUESTIONS = {
    "filter": ("Filter", _EXAMPLE),
    "jump": ("Go to", "a number or a key"),
    "export": ("Export the marked keys to", "a file"),
}
_REFRESH_SECONDS = 0.5
"""Between two looks at how far the facts are."""


class Viewer(App[None]):
    """The documents of a catalog, with facts that are being filled."""

    CSS_PATH = "app.tcss"
    TITLE = "m3w view"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "step(1)", "Next"),
        Binding("p,left", "step(-1)", "Previous"),
        Binding("enter,tab", "switch", "List/document"),
        Binding("slash", "ask('filter')", "Filter"),
        Binding("colon", "ask('jump')", "Go to"),
        Binding("m", "mark", "Mark"),
        Binding("M", "mark_all", "Mark listed", show=False),
        Binding("x", "ask('export')", "Export marked"),
        Binding("escape", "leave", "Back", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        catalog: Numbered,
        facts: Facts,
        technique: Technique,
        *,
        number: int = 0,
        query: str = "",
    ) -> None:
        super().__init__()
        self._catalog, self._facts, self._technique = catalog, facts, technique
        self._first, self._text, self._query = number, query, Query.parse(query)
        self._marked: dict[int, str] = {}
        self._asked = ""
        self._ended = threading.Event()
        self._shown_number: int | None = None
        self._is_filling = True
        self._message = ""

    def compose(self) -> ComposeResult:
        """List and document side by side, a line of input above, what is going on below."""
        yield Input(id="ask")
        with Horizontal():
            yield Listing(self._facts.at, self._marked.__contains__, id="list")
            yield DocumentPane(self._technique, id="document")
        yield Static(id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Shows the first document, then begins to read what is known of all."""
        self.theme = "textual-ansi" if self.ansi_color else "textual-dark"
        self.query_one("#ask").display = False
        self._list.focus()
        self._list_again(self._first)
        self.set_interval(_REFRESH_SECONDS, self._follow)
        self._fill()

    def on_unmount(self) -> None:
        """Ends the reading."""
        self._ended.set()

    def on_resize(self, event: Resize) -> None:
        """Narrow terminals show one of the two."""
        self.screen.set_class(event.size.width < NARROW, "narrow")

    @property
    def _list(self) -> Listing:
        return self.query_one("#list", Listing)

    @property
    def _document(self) -> DocumentPane:
        return self.query_one("#document", DocumentPane)

    @work(thread=True)
    def _fill(self) -> None:
        try:
            self._facts.fill(stop=self._ended.is_set)
        finally:
            self._facts.close()

    def _follow(self) -> None:
        """The list says more as more is read."""
        if self._ended.is_set():
            return
        if self._is_filling:
            self._list_again(self._list.number, moved=False)
            self._is_filling = not self._facts.complete
            if not self._is_filling:
                self._list_again(self._list.number, moved=False)
        self._tell()

    def _list_again(self, number: int | None, *, moved: bool = True) -> None:
        everything: Sequence[int] = range(len(self._catalog))
        listed = self._facts.numbers(self._query) if self._narrowed else everything
        self._list.show(listed, number)
        if moved and not listed:
            self.call_later(
                self._document.say, "nothing here; Esc shows all" if self._facts.complete else "…"
            )
        self._tell()

    @property
    def _narrowed(self) -> bool:
        return bool(self._query or (self._catalog.hides_any and self._facts.complete))

    def _tell(self, message: str | None = None) -> None:
        """Says what is shown, or a message, which stays until the next key."""
        self._message = self._message if message is None else message
        for status in self.query("#status").results(Static):  # gone where the program ends
            status.update(clean_line(self._message or self._state()))

    def _state(self) -> str:
        listed, faults = len(self._list.numbers), self._facts.faults
        of = f"{listed:,} of " if self._narrowed else ""
        parts = [f"{of}{counted(len(self._catalog), 'document')}"]
        if self._query:
            parts.append(str(self._query))
        if self._marked:
            parts.append(f"{len(self._marked):,} marked")
        if not self._facts.complete:
            parts.append(f"{len(self._facts):,} read")
        if faults:
            parts.append(f"{counted(len(faults), 'damaged shard')}: {faults[0]}")
        return " · ".join(parts)

    def on_key(self) -> None:
        """A message was read."""
        self._tell("")

    async def on_listing_moved(self, message: Listing.Moved) -> None:
        """Shows the document at the cursor."""
        if message.number == self._shown_number:
            return
        self._shown_number = message.number
        try:
            shown = self._catalog.read(message.number)
        except OpenM3WError as error:
            await self._document.say(clean_line(str(error)))
            return
        if self._catalog.is_hidden(message.number, shown.sample.key):
            await self._document.say(f"{shown.sample.key}: on the exclude list of its manifest")
            return
        await self._document.show(shown)

    def action_step(self, by: int) -> None:
        """The next or the previous document."""
        self._list.action_move(by)

    def action_switch(self) -> None:
        """From the list to the document, and back."""
        target = self._list if self._document.has_focus else self._document
        self.screen.set_class(target is self._document, "reading")
        target.focus()

    def action_leave(self) -> None:
        """Closes the line of input; else back to the list, and from there to all documents."""
        ask = self.query_one("#ask", Input)
        if ask.display:
            ask.display = False
            self._list.focus()
        elif self._document.has_focus:
            self.action_switch()
        elif self._query:
            self._filter("")

    def action_ask(self, what: str) -> None:
        """Opens the line of input."""
        if what == "export" and not self._marked:
            self._tell("nothing is marked; m marks a document")
            return
        ask = self.query_one("#ask", Input)
        self._asked = what
        ask.border_title, ask.placeholder = _QUESTIONS[what]
        ask.value = {"filter": self._text, "export": "keys.txt"}.get(what, "")
        ask.display = True
        ask.focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Does what was typed."""
        self.query_one("#ask").display = False
        self._list.focus()
        try:
            {"filter": self._filter, "jump": self._jump, "export": self._export}[self._asked](
                message.value.strip()
            )
        except OpenM3WError as error:
            self._tell(str(error))

    def _filter(self, text: str) -> None:
        query = Query.parse(text)
        before = self._list.number
        self._text, self._query = text, query
        self._list_again(before)

    def _jump(self, wanted: str) -> None:
        if not wanted:
            return
        number = self._catalog.find(wanted)
        self._text, self._query = "", Query()
        self._list_again(number)

    def _export(self, name: str) -> None:
        path = Path(name).expanduser()
        commit.check_place(path)
        keys = "".join(f"{self._marked[number]}\n" for number in sorted(self._marked))
        commit.write_bytes(path, keys.encode(), through_link=True)
        self._tell(f"{path}: {counted(len(self._marked), 'key')}")

    def action_mark(self) -> None:
        """Marks the document at the cursor, or takes the mark away, and goes to the next."""
        number = self._list.number
        if number is None:
            return
        if number in self._marked:
            del self._marked[number]
        else:
            self._marked[number] = self._catalog.read(number).sample.key
        self._list.action_move(1)
        self._list.refresh()
        self._tell()

    def action_mark_all(self) -> None:
        """Marks everything that the filter lists."""
        self._marked |= dict(self._facts.keys(self._query))
        self._list.refresh()
        self._tell()
