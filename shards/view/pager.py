"""The interactive viewer: one document at a time, scrolled by keys.

The state is a document number and the line on top; every key is a small method. Lines are drawn
by rich; sixel pictures, which are no text, are laid over the room left for them.
"""

from collections.abc import Callable

from rich.console import Console
from rich.control import Control
from rich.segment import Segment, SegmentLines
from rich.text import Text as Line

from openm3w.errors import InputError
from openm3w.shards.catalog.samples import Catalog, Shown, matches
from openm3w.shards.terminal import clean_line
from openm3w.shards.view import pictures, rendering
from openm3w.shards.view.pictures import Picture, Technique

HELP = "n/p document  space/b page  j/k line  g/G ends  : jump  / search  q quit"

_KEYS = {
    "\x1b[C": "n", "\x1b[D": "p", "\x1b[A": "k", "\x1b[B": "j", "\x1bOA": "k", "\x1bOB": "j",
    "\x1bOC": "n", "\x1bOD": "p", "\x1b[5~": "b", "\x1b[6~": " ", "\x1b[H": "g", "\x1b[F": "G",
    "\x1b[1~": "g", "\x1b[4~": "G", "\r": "j", "\n": "j", "\x1b": "q", "h": "?", "Q": "q",
}  # fmt: skip
_ERASE = ("\x7f", "\x08")
_CANCEL = "\x1b"


class Pager:
    """Shows `catalog` on `console`; `read_key` gives one key press at a time."""

    def __init__(
        self,
        catalog: Catalog,
        console: Console,
        read_key: Callable[[], str],
        technique: Technique,
    ) -> None:
        self._catalog, self._console, self._read_key = catalog, console, read_key
        self._technique = technique
        self._top = 0
        self._words = ""
        self._message = ""
        self._pictures: list[Picture] = []
        self._lines: list[list[Segment]] = []
        self._size = (0, 0)

    def run(self, number: int) -> None:
        """Shows sample `number` and obeys keys until q.

        Raises:
            InputError: every sample is excluded.
            ShardError: a shard is damaged or missing.
        """
        shown = self._catalog.step(number, 1) or self._catalog.step(number, -1)
        if shown is None:
            raise InputError("every sample is on the exclude list")
        self._shown: Shown = shown
        with self._console.screen(hide_cursor=True):
            try:
                self._lay_out()
                self._loop()
            finally:
                self._forget()

    def _loop(self) -> None:
        actions = {
            "n": lambda: self._move(1),
            "p": lambda: self._move(-1),
            "j": lambda: self._scroll(1),
            "k": lambda: self._scroll(-1),
            "b": lambda: self._scroll(2 - self._height),
            "g": lambda: self._scroll(-len(self._lines)),
            "G": lambda: self._scroll(len(self._lines)),
            " ": self._page,
            ":": lambda: self._jump(""),
            "/": self._search,
            "?": self._help,
        }
        while True:
            self._draw()
            try:
                key = self._read_key()
            except (EOFError, KeyboardInterrupt):
                return
            key = _KEYS.get(key, key)
            if key == "q":
                return
            self._message = ""
            if key in actions:
                actions[key]()
            elif key.isdecimal():
                self._jump(key)
            else:
                self._message = HELP

    @property
    def _height(self) -> int:
        """Lines of the document on one screen; the last line of the screen is the status."""
        return max(1, self._console.height - 1)

    def _help(self) -> None:
        self._message = HELP

    def _move(self, by: int) -> None:
        shown = self._catalog.step(self._shown.number - 1 + by, by)
        if shown is None:
            self._message = "this is the last one" if by > 0 else "this is the first one"
            return
        self._open(shown)

    def _open(self, shown: Shown) -> None:
        self._shown, self._top = shown, 0
        self._lay_out()

    def _page(self) -> None:
        if self._top + self._height >= len(self._lines):
            self._move(1)
        else:
            self._scroll(self._height - 2)

    def _scroll(self, by: int) -> None:
        last = max(0, len(self._lines) - self._height)
        self._top = min(max(0, self._top + by), last)

    def _jump(self, begun: str) -> None:
        wanted = self._ask("go to number or key: ", begun)
        if not wanted:
            return
        try:
            number = self._catalog.find(wanted)
        except InputError as error:
            self._message = str(error)
            return
        shown = self._catalog.step(number, 1)
        if shown is not None:
            self._open(shown)

    def _search(self) -> None:
        words = self._ask("search words: ", "") or self._words
        if not words:
            return
        self._words = words
        self._status(f"searching for {words} ... (Ctrl-C stops)")
        try:
            for shown in self._catalog.walk(self._shown.number):
                if matches(shown.sample, words):
                    self._open(shown)
                    return
            self._message = f"no later document has {words!r}"
        except KeyboardInterrupt:
            self._message = "search stopped"

    def _ask(self, prompt: str, text: str) -> str:
        """What is typed until Enter; "" where it was cancelled."""
        while True:
            self._status(f"{prompt}{text}█")
            try:
                key = self._read_key()
            except (EOFError, KeyboardInterrupt):
                return ""
            if key in ("\r", "\n"):
                return text.strip()
            if key == _CANCEL:
                return ""
            typed = " " if key == " " else clean_line(key)
            text = text[:-1] if key in _ERASE else text + typed

    def _lay_out(self) -> None:
        self._forget()
        self._size = self._console.size
        renderable, self._pictures = rendering.render(
            self._shown,
            # Sixel pictures are drawn over the lines once it is known which are on the screen.
            "space" if self._technique == "sixel" else self._technique,
            columns=self._console.width,
            rows=max(4, self._height - 6),
        )
        self._lines = self._console.render_lines(renderable, pad=False)

    def _draw(self) -> None:
        if self._size != self._console.size:
            self._lay_out()
            self._scroll(0)
        visible = self._lines[self._top : self._top + self._height]
        self._console.control(Control.home(), Control.clear())
        self._console.print(SegmentLines(visible, new_lines=True), end="")
        if self._technique == "sixel":
            self._overlay(visible)
        self._status(self._message)

    def _overlay(self, visible: list[list[Segment]]) -> None:
        """Draws what is visible of each picture where its rows stand."""
        rows: dict[int, list[pictures.Spot]] = {}
        for spot in pictures.spots(visible):
            rows.setdefault(spot.picture, []).append(spot)
        for picture in self._pictures:
            if spots := rows.get(picture.number):
                self._console.control(Control.move_to(spots[0].column, spots[0].line))
                sequence = picture.sixel(spots[0].row_of_picture, len(spots))
                self._console.file.write(sequence)

    def _status(self, message: str) -> None:
        shown = self._shown
        end = min(len(self._lines), self._top + self._height)
        here = f" {shown.number:,} of {shown.total:,} "
        share = f" {100 * end // max(1, len(self._lines))} % "
        text = clean_line(message) or "n next  p previous  / search  ? keys  q quit"
        line = Line(f"{here}│ {text} ", style="reverse", no_wrap=True, overflow="ellipsis")
        line.truncate(max(1, self._console.width - 1 - len(share)), overflow="ellipsis", pad=True)
        line.append(share)
        self._console.control(Control.move_to(0, self._console.height - 1))
        self._console.print(line, end="", soft_wrap=True)

    def _forget(self) -> None:
        for picture in self._pictures:
            picture.forget()
