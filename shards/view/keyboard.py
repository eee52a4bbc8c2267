"""Key presses one at a time, none of them lost.

The terminal stays without echo and line buffering for the whole session: switching for each key
would print, or throw away, what is typed while a document is drawn.
"""

import codecs
import contextlib
import os
import re
import select
import sys
from collections.abc import Callable, Iterator

import click

# A key is an escape sequence of the terminal, or one character.
_KEY = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1bO[@-~]|.", re.DOTALL)

# An escape sequence arrives at once; after this long an ESC was the key.
_ESCAPE_SECONDS = 0.05


@contextlib.contextmanager
def keyboard() -> Iterator[Callable[[], str]]:
    """Gives a function that waits for one key; the terminal is put back afterwards.

    The function raises EOFError at the end of input, and KeyboardInterrupt at Ctrl-C.
    """
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield click.getchar
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        yield Keys(descriptor).next
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Keys:
    """Cuts the bytes of a file descriptor into keys."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typed = ""

    def next(self) -> str:
        """The next key, waiting for it.

        Raises:
            EOFError: the input has ended.
        """
        while not self._typed:
            self._read()
        if self._typed == "\x1b":
            ready, _, _ = select.select([self._descriptor], [], [], _ESCAPE_SECONDS)
            if ready:
                self._read()
        match = _KEY.match(self._typed)
        key = match[0] if match else self._typed
        self._typed = self._typed[len(key) :]
        if key == "\x04":  # Ctrl-D
            raise EOFError
        return key

    def _read(self) -> None:
        data = os.read(self._descriptor, 1024)
        if not data:
            raise EOFError
        self._typed += self._decoder.decode(data)
