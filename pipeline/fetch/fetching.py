"""Many URLs at once: in turn by registered domain, over redirects, and again where it may help.

One `Fetcher` works in a process, on a thread of its own: turns of domains, robots.txt and
connections hold for all bundles of URLs that are handed to it. Results come as they are ready.
"""

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from openm3w.filters.url import registered_domain
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.following import Again, Errand, after, ended
from openm3w.pipeline.fetch.forbidden import Covers, Forbidden, Nothing
from openm3w.pipeline.fetch.outcomes import Answer, Fetched
from openm3w.pipeline.fetch.queues import HostQueues
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.wishes.sites import Sites

UNREACHABLE = frozenset({"dns_failure", "connect_failure", "connect_timeout"})
"""Faults that say of a host that nobody is there; after ten in a row it is given up."""
MAX_WAITING_BYTES = 256 << 20
"""Bodies that nobody has taken yet; while there are more, no request begins. Ours."""


@dataclass(slots=True, eq=False)
class _Bundle:
    """URLs that were handed in together."""

    results: "queue.SimpleQueue[Fetched | BaseException]" = field(default_factory=queue.SimpleQueue)
    jobs: "set[_Job]" = field(default_factory=set)
    """Those without an outcome."""
    deadline: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """An errand in its bundle."""

    errand: Errand
    bundle: _Bundle
    domain: str = ""
    """Whose turn it waits for, or has."""
    host: str = ""
    started: float = 0.0
    """When its turn began."""
    task: "asyncio.Task[None] | None" = None

    @property
    def is_open(self) -> bool:
        return self in self.bundle.jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What a turn of a host was used for."""

    step: Again | Fetched | None = None
    """None: it was given up."""
    requests: int = 1
    """What was made of requests, those for a site's wishes with them."""
    fault: str = ""


class Fetcher:
    """Fetches bundles of URLs; may be called from several threads.

    `resolver` takes the place of the system's look-ups. `covers` gives which URLs are never asked
    for, of the moment: it is called with each bundle, and beside that at most every
    `forbidden.EVERY` seconds, in threads that may wait. Use it in a `with` block, or call `close`.
    """

    def __init__(
        self,
        settings: FetchSettings,
        *,
        resolver: Any = None,
        covers: Callable[[], Covers] | None = None,
    ) -> None:
        self._settings = settings
        self._resolver = resolver
        self._forbidden = Forbidden(covers or Nothing)
        self._queues: HostQueues[_Job] = HostQueues(
            per_domain=settings.manners.per_domain, rate=settings.manners.per_domain_rate
        )
        self._bundles: set[_Bundle] = set()
        self._under_way = 0
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        """Of `_waiting_bytes`, which those who take results count down themselves: a call into the
        fetcher's thread for each picture would wake it as often as the network does."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fetcher", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def settings(self) -> FetchSettings:
        """How it asks."""
        return self._settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(self, urls: Iterable[str]) -> Iterator[Fetched]:
        """What becomes of each distinct URL, in the order in which it is known.

        Raises:
            Whatever `covers` does: what must not be asked for is not known then.
        """
        self._forbidden.look()
        distinct = tuple(dict.fromkeys(urls))
        bundle = _Bundle()
        self._call(self._submit, bundle, distinct)
        try:
            for _ in distinct:
                found = bundle.results.get()
                if isinstance(found, BaseException):
                    raise found
                if found.data:
                    self._taken(len(found.data))
                yield found
        finally:
            self._call(self._leave, bundle)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Has the fetcher's thread do something; nothing where it has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Ends all requests and the thread; bundles that are not done get no more results."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        settings = self._settings
        async with Session(settings.limits, settings.manners, resolver=self._resolver) as session:
            self._session = session
            self._sites = Sites(settings.manners, session.get)
            self._ready.set()
            await self._stop.wait()
            for bundle in tuple(self._bundles):
                self._fail(bundle, RuntimeError("the fetcher was closed"))
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            await asyncio.gather(*rest, return_exceptions=True)

    def _submit(self, bundle: _Bundle, urls: Iterable[str]) -> None:
        self._bundles.add(bundle)
        bundle.deadline = self._loop.call_later(self._settings.bundle_seconds, self._expire, bundle)
        jobs = [_Job(errand=Errand(url=url, at=url), bundle=bundle) for url in urls]
        bundle.jobs.update(jobs)
        for job in jobs:
            if job.is_open:
                self._line_up(job, 0.0)
        self._go()

    def _line_up(self, job: _Job, not_before: float) -> None:
        errand = job.errand
        job.domain, job.host = registered_domain(errand.at), _host(errand.at)
        try:
            is_covered = self._forbidden.covers(errand.at)
        except Exception as error:  # noqa: BLE001  # what must not be asked is not known
            self._fail(job.bundle, error)
            return
        if not job.domain:
            self._finish(job, ended(errand, "bad_url", time.time()))
        elif is_covered:
            self._finish(job, ended(errand, "tombstone", time.time()))
        elif not_before:
            self._queues.requeue(job.domain, job, not_before, host=job.host)
        else:
            self._queues.add(job.domain, job, host=job.host)

    def _go(self) -> None:
        """Begins what may begin now, and sees to it that somebody looks again."""
        while self._is_free and (job := self._queues.pop(now := self._loop.time())) is not None:
            job.started = now
            if job.is_open:
                self._under_way += 1
                job.task = self._loop.create_task(self._hop(job))
            else:
                self._queues.skip(job.domain, now, started=now)
        if self._timer:
            self._timer.cancel()
        at = self._queues.next_time()
        self._timer = self._loop.call_at(at, self._go) if at is not None and self._is_free else None

    @property
    def _is_free(self) -> bool:
        """Whether a request could begin; if not, the end of one looks again."""
        settings = self._settings
        return self._under_way < settings.concurrency and self._waiting_bytes < MAX_WAITING_BYTES

    async def _hop(self, job: _Job) -> None:
        """One request, or the news that it must not be made; then what comes after it."""
        turn = _Turn()
        try:
            turn = await self._step(job)
        except Exception as error:  # noqa: BLE001  # ours: whoever waits must not wait for ever
            self._fail(job.bundle, error)
        finally:
            self._under_way -= 1
            self._end_turn(job, turn)
            self._go_on(job, turn.step)
            self._go()

    def _go_on(self, job: _Job, step: Again | Fetched | None) -> None:
        if isinstance(step, Fetched):
            self._finish(job, step)
        elif step is not None and job.is_open:
            self._line_up(job, self._loop.time() + step.wait if step.wait else 0.0)

    async def _step(self, job: _Job) -> "_Turn":
        errand = job.errand
        if await self._forbidden.covers_now(errand.at):  # since it began to wait for its turn
            return _Turn(step=ended(errand, "tombstone", time.time()), requests=0)
        word = await self._sites.about(errand.at)
        errand.hear(word.signals, word.wishes)
        self._queues.set_delay(job.domain, word.crawl_delay)
        if word.reason and not word.fault:
            return _Turn(step=ended(errand, word.reason, time.time()), requests=word.requests)
        requests = word.requests
        if word.fault:  # a site that cannot be reached for its robots.txt cannot be reached
            answer = Answer(url=errand.at, reason=word.fault)
        else:
            answer = await self._session.get(errand.at)
            requests += 1
        step = after(errand, answer, self._settings, time.time(), chance=random.random())
        return _Turn(step=step, requests=requests, fault=answer.reason)

    def _end_turn(self, job: _Job, turn: "_Turn") -> None:
        now = self._loop.time()
        pause = turn.step.pause if isinstance(turn.step, Again) else 0.0
        told: dict[str, Any] = {"host": job.host, "unreachable": turn.fault in UNREACHABLE}
        if turn.requests:
            is_dead = self._queues.done(
                job.domain, now, requests=turn.requests, pause=pause, **told
            )
        else:
            is_dead = self._queues.skip(job.domain, now, started=job.started, **told)
        if is_dead and turn.fault:
            for other in self._queues.drain(job.domain, job.host):
                self._finish(other, ended(other.errand, turn.fault, time.time()))

    def _finish(self, job: _Job, found: Fetched) -> None:
        if not job.is_open:
            return
        job.bundle.jobs.discard(job)
        with self._counting:
            self._waiting_bytes += len(found.data)
        job.bundle.results.put(found)

    def _expire(self, bundle: _Bundle) -> None:
        for job in tuple(bundle.jobs):
            if job.task:
                job.task.cancel()
            self._finish(job, ended(job.errand, "deadline", time.time()))
        self._go()

    def _fail(self, bundle: _Bundle, error: BaseException) -> None:
        """A fault of ours: whoever waits for the bundle is told."""
        bundle.results.put(error)
        self._abandon(bundle)

    def _abandon(self, bundle: _Bundle) -> None:
        if bundle.deadline:
            bundle.deadline.cancel()
        for job in bundle.jobs:
            if job.task:
                job.task.cancel()
        bundle.jobs.clear()
        self._bundles.discard(bundle)
        self._go()

    def _leave(self, bundle: _Bundle) -> None:
        """Nobody will take what is left of the bundle."""
        self._abandon(bundle)
        with contextlib.suppress(queue.Empty):
            while True:
                left = bundle.results.get_nowait()
                self._taken(len(left.data) if isinstance(left, Fetched) else 0)

    def _taken(self, size: int) -> None:
        """Counts bytes as taken, in any thread; wakes the fetcher's where they were in its way."""
        with self._counting:
            was_full = self._waiting_bytes >= MAX_WAITING_BYTES
            self._waiting_bytes -= size
            makes_room = was_full and self._waiting_bytes < MAX_WAITING_BYTES
        if makes_room:
            self._call(self._go)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
