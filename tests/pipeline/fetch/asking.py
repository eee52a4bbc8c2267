"""A session and the hostile server that it asks, in one loop."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

from hostile import Certificates, HostileServer

from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.settings import Limits, Manners

HERE = Limits(
    connect_seconds=10,
    idle_seconds=10,
    total_seconds=20,
    max_bytes=300_000,
    ports=(),
    allow_private_networks=True,
)
"""Lets loopback through; its times are for a machine that is busy with other things."""
STRICT = dataclasses.replace(HERE, allow_private_networks=False)


def ask(
    what: Callable[[HostileServer, Session], Awaitable[object]],
    limits: Limits = HERE,
    *,
    certificates: Certificates | None = None,
    **session,
):
    """Runs `what` with a server and a session, and then sees that every connection was closed."""

    async def run():
        async with HostileServer(certificates=certificates) as server:
            async with Session(limits, Manners(), **session) as asking:
                found = await what(server, asking)
            for _ in range(200):
                if not server.open:
                    break
                await asyncio.sleep(0.01)
            assert server.open == 0
            return found

    return asyncio.run(run())
