"""Extraction that always ends: each page within five seconds and one gibibyte.

The limits of `extraction.limits` decide first, from the page's text and alike on every machine.
Behind them stands a process of its own, since nothing inside a process stops a C parser that
hangs: it is killed at the deadline and started again for the next page. Of all outcomes of a page
only `parse_timeout` may differ between machines; it is committed with its unit.
"""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Final, Self

from openm3w.errors import OpenM3WError
from openm3w.pipeline import guard_process
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.extraction.limits import MAX_CHARS, PageLimit, check_html
from openm3w.pipeline.guard_process import Answer, Failure
from openm3w.pipeline.recipe import Extract

EXTRACTOR: Final = "openm3w.pipeline.extraction.extract:extract"

MAX_INLINE_CHARS: Final = 1_000_000
MAX_INLINE_TAGS: Final = 20_000
"""Of `<`. 97 of 100 captured pages are within both bounds."""

MAX_INLINE_URL_CHARS: Final = 2_000
"""Of the page's address. Servers refuse much longer ones."""

START_TIMEOUT_S: Final = 60.0
"""For a cold disk; a third of a second is usual."""

ATTEMPTS: Final = 2
"""A process that dies, in a page or before, may have been killed for reasons of others."""

_START: Final = "from openm3w.pipeline.guard_process import main; main()"
_NOT_STARTED: Final = "the process that extracts pages did not start"
_END_WAIT_S: Final = 1.0
"""Between the end of a process's channel and its own."""


class ExtractionFailed(Exception):  # noqa: N818 - it names an outcome, as PageLimit does
    """A page could not be extracted; `reason` is counted, `detail` says more."""

    def __init__(self, reason: Failure, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Failure = reason
        self.detail = detail


def needs_guard(html: str, url: str, engine: str) -> bool:
    """Whether a page must be extracted in a process that can be killed.

    Our own engine's time grows with the page, so its small pages are bounded
    by their size and save the way to another process and back. What makes every address of a page
    long is the exception: a long address of the page itself (extraction bounds `<base>`).
    """
    return (
        engine != "openm3w"
        or len(html) > MAX_INLINE_CHARS
        or html.count("<") > MAX_INLINE_TAGS
        or len(url) > MAX_INLINE_URL_CHARS
    )


class Guard:
    """Extracts pages, in a process of its own where that is needed, one page at a time.

    The process starts with the first page that needs it and ends with `close`, or when this
    process ends in whatever way. A guard belongs to one thread.
    """

    def __init__(self, settings: Extract, extractor: str = EXTRACTOR) -> None:
        """`extractor` is the dotted path of a function like `extraction.extract.extract`."""
        self._settings = settings
        self._extractor = extractor
        self._extract = guard_process.resolve(extractor)
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; another starts where there is another page."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @property
    def pid(self) -> int | None:
        """The process's id, None where none runs."""
        return self._process.pid if self._process else None

    def extract(self, html: str, url: str) -> Extraction:
        """A page's main content, whatever the page.

        Raises:
            PageLimit: the page has more or deeper markup than any that is worth reading.
            ExtractionFailed: it took too long or too much, or the extractor fell over it.
            OpenM3WError: no process could be started.
        """
        engine = self._settings.engine
        if len(html) > MAX_CHARS:  # known without another process
            raise PageLimit("too_large")
        if engine != "openm3w" and (reason := check_html(html)):  # ours looks by itself
            raise PageLimit(reason)
        if needs_guard(html, url, engine):
            answer = self._guarded(html, url)
        else:
            answer = guard_process.attempt(self._extract, html, url, engine)
        if answer.limit is not None:
            raise PageLimit(answer.limit)
        if answer.extraction is None:
            raise ExtractionFailed(answer.failure or "extractor_crashed", answer.detail)
        return answer.extraction

    def _guarded(self, html: str, url: str) -> Answer:
        message = pickle.dumps((html, url))
        answer, left = Answer(), self._settings.timeout_s
        for _ in range(ATTEMPTS):
            process = self._running()
            began = time.monotonic()
            answer = self._asked(process, message, began + left)
            left -= time.monotonic() - began
            if answer.failure != "extractor_crashed":
                break
        return answer

    def _running(self) -> "_Process":
        if self._process is not None and not self._process.alive():
            self.close()
        if self._process is None:
            self._process = self._started()
        return self._process

    def _started(self) -> "_Process":
        settings = self._settings
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(OpenM3WError):
                return _Process(self._extractor, settings.engine, f"{settings.timeout_s}")
        return _Process(self._extractor, settings.engine, f"{settings.timeout_s}")

    def _asked(self, process: "_Process", message: bytes, deadline: float) -> Answer:
        """One page; a process that has not answered it is never asked again."""
        answer: Answer | None = None
        try:
            answer = process.ask(message, deadline)
        except TimeoutError:
            detail = f"no result within {self._settings.timeout_s:g} s"
            return Answer(failure="parse_timeout", detail=detail)
        except (EOFError, ConnectionError):
            return Answer(failure="extractor_crashed", detail=process.ending())
        finally:
            if answer is None or answer.spent:
                self.close()
        return answer


class _Process:
    """One process and the channel to it."""

    def __init__(self, *arguments: str) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _start(theirs, arguments)
            except OSError as error:
                self._channel.close()
                raise OpenM3WError(f"{_NOT_STARTED}: {error}") from error
        self.pid = self._process.pid
        is_ready = False
        try:
            guard_process.receive(self._channel, time.monotonic() + START_TIMEOUT_S)
            is_ready = True
        except (EOFError, OSError) as error:
            raise OpenM3WError(
                f"{_NOT_STARTED}: {self.ending()}; what it wrote to standard error says why"
            ) from error
        finally:
            if not is_ready:
                self.kill()

    def ask(self, message: bytes, deadline: float) -> Answer:
        """The answer to a page.

        Raises:
            TimeoutError: there is none before the deadline, on the monotonic clock.
            EOFError, ConnectionError: the process has ended.
        """
        self._channel.settimeout(max(deadline - time.monotonic(), guard_process.SHORTEST_WAIT_S))
        guard_process.send(self._channel, message)
        return guard_process.load_answer(guard_process.receive(self._channel, deadline))

    def alive(self) -> bool:
        """Whether it runs, as far as is known now."""
        return self._process.poll() is None

    def ending(self) -> str:
        """How the process ended, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_END_WAIT_S)
            name = signal.Signals(-code).name if code < 0 else ""
            return f"ended by signal {name}" if name else f"ended with exit code {code}"
        return "sent no answer"

    def kill(self) -> None:
        """Ends the process at once, whatever it does; it holds nothing that could be lost."""
        self._process.kill()
        self._process.wait()
        self._channel.close()


def _start(channel: socket.socket, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """A new interpreter instead of a fork: this process has threads, and locks that they hold.

    It finds modules where this process does. It has a session of its own: Ctrl-C and a signal to
    a whole group are its owner's to answer, which else would take a killed page for a verdict.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-P", "-c", _START, *arguments],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
