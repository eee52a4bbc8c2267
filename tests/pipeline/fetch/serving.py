"""A hostile server on a thread of its own, for tests whose client has a thread of its own too."""

import asyncio
import threading
from collections import Counter

from hostile import PICTURE, HostileServer

from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.settings import Limits, Manners

HERE = Limits(
    connect_seconds=5,
    idle_seconds=2.0,
    total_seconds=5.0,
    max_bytes=300_000,
    ports=(),
    allow_private_networks=True,
)
RUDE = Manners(per_domain=200, per_domain_rate=0.0, well_known=False)
"""Nothing waits for its turn: what is tested is something else."""

ASKING = (
    "images.source=http",
    "fetch.manners.contact=tests@example.org",
    "fetch.manners.per_domain_rate=0",
    "fetch.limits.ports=[]",
    "fetch.limits.allow_private_networks=true",
)
"""Changes to a recipe, by which a build asks servers on loopback as fast as it can."""


class Serving:
    """Gives the server that `make` makes, in a `with` block."""

    def __init__(self, *, make=HostileServer, **options):
        self._make = make
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self.server = self._make(**self._options)
        self._do(self.server.__aenter__())
        return self.server

    def __exit__(self, *_):
        self._do(self.server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, awaited):
        return asyncio.run_coroutine_threadsafe(awaited, self._loop).result()


def reasons(found):
    return Counter(each.reason or "fetched" for each in found)


def pictures(number):
    return {f"/{at}.jpg": PICTURE + str(at).encode() for at in range(number)}


def hosts(server, *names):
    """A resolver for which every host is the server."""
    return StubResolver({name: [("127.0.0.1", server.port)] for name in names})
