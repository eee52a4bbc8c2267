"""The process that `guard` keeps: a page in, an answer out, until its owner is gone.

It imports extraction and neither Beam nor torch, so that it starts in a third of a second. It ends
by itself when its owner does: waiting for a page it reads the end of the channel, and inside a
page, where nothing but the kernel can stop a C call, an alarm ends it.

Messages are pickles behind their length. Pages come from our own owner. Answers come from a
process that has parsed what strangers wrote, so the owner's reader makes objects of the classes
of an answer and of no others: an answer can name nothing that would run.
"""

import io
import os
import pickle
import pkgutil
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from openm3w.pipeline.extraction.extract import Extraction, LeftOut
from openm3w.pipeline.extraction.limits import DropReason, PageLimit
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.shards.document import Image, Text

Failure = Literal["parse_timeout", "parse_memory", "extractor_crashed", "extractor_error"]
Extractor = Callable[..., Extraction]

MAX_PAGE_BYTES: Final = 1 << 30
"""Memory that one page may take besides its own text: the contract of extraction."""

NEAR_BYTES: Final = 128 << 20
"""A page that came so near to that bound has met it: libxml2 says of memory that it did not get
what it says of any broken page, and returns what it has."""

MAX_GROWTH_BYTES: Final = 256 << 20
"""A process that a page left so much larger than it began is replaced."""

MAX_MESSAGE_BYTES: Final = 256 << 20
"""Six times the longest page. What claims to be longer is no message of ours."""

SHORTEST_WAIT_S: Final = 0.001
"""A socket takes no time as `do not wait at all`."""

_WARM_UP: Final = "<html><body><p>What is loaded at the first use is loaded now.</p></body></html>"
_STATUS: Final = Path("/proc/self/status")
_LENGTH: Final = struct.Struct("!Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a page: an extraction, a limit that it is beyond, or a failure."""

    extraction: Extraction | None = None
    limit: DropReason | None = None
    failure: Failure | None = None
    detail: str = ""
    """What was raised, or how the process ended."""
    spent: bool = False
    """The process should not be given another page."""


OUT_OF_MEMORY: Final = Answer(
    failure="parse_memory", detail="more memory than a page may take", spent=True
)


def resolve(name: str) -> Extractor:
    """The function of a dotted path as `package.module:function`."""
    function: Extractor = pkgutil.resolve_name(name)
    return function


def attempt(extractor: Extractor, html: str, url: str, engine: str) -> Answer:
    """One call of the extractor; whatever it raises is an answer."""
    try:
        return Answer(extraction=extractor(html, url, engine=engine))
    except PageLimit as limit:
        return Answer(limit=limit.reason)
    except MemoryError:
        pass  # what the page holds is free again only behind this block
    except Exception as error:  # noqa: BLE001
        # A page that the libraries under extraction fall over must not end the crawl: it is a
        # failure with its text kept, and too large a share of failures ends the build.
        return Answer(failure="extractor_error", detail=repr(error)[:200])
    return OUT_OF_MEMORY


def send(channel: socket.socket, message: bytes) -> None:
    """Writes one message within the channel's own time limit."""
    channel.sendall(_LENGTH.pack(len(message)))
    channel.sendall(message)


def receive(channel: socket.socket, deadline: float | None = None) -> bytes:
    """Reads one message, until `deadline` on the monotonic clock.

    Raises:
        EOFError: the other side is gone, or what it sent is no message.
        TimeoutError: the deadline has passed.
    """
    (size,) = _LENGTH.unpack(_read(channel, _LENGTH.size, deadline))
    if size > MAX_MESSAGE_BYTES:
        raise EOFError
    return _read(channel, size, deadline)


def load_answer(message: bytes) -> Answer:
    """The answer of a process.

    Raises:
        EOFError: the message is none.
    """
    try:
        answer = _Answers(io.BytesIO(message)).load()
    except Exception as error:
        raise EOFError from error  # damaged bytes raise nearly anything
    if isinstance(answer, Answer):
        return answer
    raise EOFError


def main() -> NoReturn:
    """Answers pages on standard input, a socket: `EXTRACTOR ENGINE TIMEOUT_S`."""
    name, engine, timeout_s = sys.argv[1:]
    channel = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    extractor = resolve(name)
    attempt(extractor, _WARM_UP, "http://a.example/", engine)
    began = _memory().now
    send(channel, b"ready")
    while True:
        try:
            html, url = pickle.loads(receive(channel))  # noqa: S301 - from our owner
            # Only for an owner that is gone: one that lives kills at half this time.
            signal.setitimer(signal.ITIMER_REAL, 2 * float(timeout_s))
            answer = _bounded(partial(attempt, extractor, html, url, engine), began)
            signal.setitimer(signal.ITIMER_REAL, 0)
            send(channel, answer)
        except (EOFError, ConnectionError):
            sys.exit(0)


class _Answers(pickle.Unpickler):
    _CLASSES: Final = {
        (kind.__module__, kind.__qualname__): kind
        for kind in (Answer, Extraction, Image, LeftOut, Reason, Text)
    }

    def find_class(self, module: str, name: str, /) -> Any:
        return self._CLASSES[module, name]


@dataclass(frozen=True, slots=True)
class _Memory:
    """Bytes of address space."""

    now: int
    peak: int


def _bounded(work: Callable[[], Answer], began: int) -> bytes:
    """The pickled answer of a page that may take MAX_PAGE_BYTES."""
    before = _memory()
    bound = before.now + MAX_PAGE_BYTES
    _set_limit(bound)
    try:
        answer = work()
        after = _memory()
        if after.peak > max(before.peak, bound - NEAR_BYTES):
            answer = OUT_OF_MEMORY
        elif after.now > began + MAX_GROWTH_BYTES:
            answer = replace(answer, spent=True)
        return pickle.dumps(answer)
    except MemoryError:
        return pickle.dumps(OUT_OF_MEMORY)


def _read(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if deadline is not None:
            channel.settimeout(max(deadline - time.monotonic(), SHORTEST_WAIT_S))
        count = channel.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return bytes(data)


def _memory() -> _Memory:
    """Of this process; zeros where the system does not tell (it is Linux that does)."""
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return _Memory(0, 0)
    sizes = {name: size for name, _, size in (line.partition(":") for line in lines)}
    return _Memory(*(int(sizes[name].split()[0]) << 10 for name in ("VmSize", "VmPeak")))


def _set_limit(size: int) -> None:
    if not _STATUS.exists():
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
