"""Names to addresses: the system's look-up and a stub, remembered for a while, and checked."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from aiohttp.abc import AbstractResolver, ResolveResult

Place = tuple[str, int]
"""A numeric address, and the port to connect to; 0: the port that was asked for."""

TTL = 300.0
"""Seconds that an answer is kept. The system does not tell a record's own time to live; five
minutes is what most content networks set at most. A stale answer costs a failed connect, never
safety: what was checked is what is connected to."""
FAILURE_TTL = 60.0
"""Seconds that a failed look-up is kept (ours): a list of images names a dead host many times, and
RFC 2308 has resolvers keep such answers too."""
MAX_HOSTS = 1 << 16
"""Answers kept (ours), some 20 MB; beyond it the oldest go."""


THREADS = 256
"""Look-ups at once (ours): twice the requests under way at most by default. One whose name server
is silent holds its thread for ten seconds and longer, when nobody waits for it any more."""


class Resolver(Protocol):
    """Looks names up."""

    async def places(self, host: str) -> Sequence[Place]:
        """All addresses of a host name.

        Raises:
            OSError: there are none, or nobody could say.
        """

    async def close(self) -> None: ...


class SystemResolver:
    """The system's own look-up (`getaddrinfo`), in threads of its own.

    The default executor of asyncio has a handful of threads, which one dead name server fills;
    slow look-ups are what img2dataset is known to wait for.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="openm3w-dns")

    async def places(self, host: str) -> Sequence[Place]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._pool, _look_up, host)
        return [(str(info[4][0]), 0) for info in found]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[tuple[object, object, int, str, tuple[object, ...]]]:
    try:
        return list(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except UnicodeError as error:  # of the codec of names, for labels that it cannot spell
        raise OSError(f"{host}: no host name ({error})") from error


class StubResolver:
    """Answers from a table, for tests and benchmarks: nothing is looked up.

    `hosts` names for each host either its places or a list of such answers, given one after the
    other (the last one stays), so that a name can change its address as in DNS rebinding. A place
    is an address, or a pair of address and port: pages of port 80 can then come from a server that
    listens elsewhere. `default` answers for every host that is not named.
    """

    def __init__(
        self,
        hosts: Mapping[str, Iterable[str | Place] | Iterable[Iterable[str | Place]]] | None = None,
        *,
        default: Iterable[str | Place] = (),
        seconds: float = 0.0,
    ) -> None:
        self._hosts = {name: _answers(given) for name, given in (hosts or {}).items()}
        self._default = [_place(place) for place in default]
        self._seconds = seconds
        self.asked: Counter[str] = Counter()
        """How often each host was looked up."""

    async def places(self, host: str) -> Sequence[Place]:
        turn = self.asked[host]
        self.asked[host] += 1
        if self._seconds:
            await asyncio.sleep(self._seconds)
        answers = self._hosts.get(host)
        found = answers[min(turn, len(answers) - 1)] if answers else self._default
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"{host}: not in the stub's table")
        return found

    async def close(self) -> None:
        return


def _place(given: str | Place) -> Place:
    return (given, 0) if isinstance(given, str) else given


def _answers(given: Iterable[object]) -> list[list[Place]]:
    entries = list(given)
    if entries and all(isinstance(entry, list) for entry in entries):
        return [[_place(place) for place in entry] for entry in entries]  # type: ignore[attr-defined]
    return [[_place(entry) for entry in entries]]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    places: Sequence[Place] = ()
    fault: OSError | None = None


class CheckedResolver(AbstractResolver):
    """A resolver as aiohttp wants it: remembers, asks once for all who wait, and checks.

    `check` gets all addresses of a name each time that one is about to be used, and raises an
    OSError where the host must not be connected to.
    """

    def __init__(
        self,
        resolver: Resolver,
        check: Callable[[Sequence[Place]], None],
        *,
        ttl: float = TTL,
        failure_ttl: float = FAILURE_TTL,
    ) -> None:
        self._resolver = resolver
        self._check = check
        self._ttl = ttl
        self._failure_ttl = failure_ttl
        self._kept: dict[str, _Kept] = {}
        self._under_way: dict[str, asyncio.Task[_Kept]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name.

        Raises:
            OSError: there are none, or `check` refuses.
        """
        answer = self._kept.get(host)
        if answer is None or answer.until <= time.monotonic():
            answer = await self._ask(host)
        if answer.fault is not None:
            # A new one each time: an exception that many raise gathers all their tracebacks.
            raise OSError(*answer.fault.args)
        self._check(answer.places)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=other or port,
                family=family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address, other in answer.places
        ]

    async def _ask(self, host: str) -> _Kept:
        task = self._under_way.get(host)
        if task is None:
            task = asyncio.create_task(self._asked(host))
            self._under_way[host] = task
            task.add_done_callback(lambda _: self._under_way.pop(host, None))
        # One who gives up must not take the answer from the others.
        return await asyncio.shield(task)

    async def _asked(self, host: str) -> _Kept:
        try:
            places = list(dict.fromkeys(await self._resolver.places(host)))
            if not places:
                raise socket.gaierror(socket.EAI_NONAME, f"{host}: no address")
        except OSError as error:
            passing = getattr(error, "errno", None) == socket.EAI_AGAIN  # the server was silent
            seconds = 0.0 if passing else self._failure_ttl
            answer = _Kept(time.monotonic() + seconds, fault=error)
        else:
            answer = _Kept(time.monotonic() + self._ttl, places)
        self._kept.pop(host, None)
        self._kept[host] = answer
        if len(self._kept) > MAX_HOSTS:
            del self._kept[next(iter(self._kept))]
        return answer

    async def close(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._resolver.close()
