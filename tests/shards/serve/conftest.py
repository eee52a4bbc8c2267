"""Servers on loopback for the tests of the viewer, and what asks them."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
import uvicorn

from openm3w.shards import manifest
from openm3w.shards.document import Document, Text
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.serve.app import create_app
from openm3w.shards.serve.cli import listen
from openm3w.shards.serve.security import Access
from openm3w.shards.serve.site import Site, open_site
from openm3w.shards.writer import write_shard

TOKEN = "the-token"
EXCLUDED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    site: Site
    port: int

    def get(self, path: str, *, method: str = "GET", headers=None, **query) -> Answer:
        """Asks as a browser that has the cookie; headers given as None are not sent."""
        given = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"c={TOKEN}"} | (headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(
                method, f"{path}?{urlencode(query)}" if query else path, skip_host=True
            )
            for name, value in given.items():
                for each in value if isinstance(value, list) else [value]:
                    if each is not None:
                        connection.putheader(name, each)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(status=response.status, headers=response.headers, body=response.read())
        finally:
            connection.close()


@contextlib.contextmanager
def serving(site: Site, *, fill: bool = True) -> Iterator[Served]:
    """A real server in a thread, once the facts are read."""
    for collection in site.collections.values() if fill else ():
        collection.fill(lambda: False)
    with serving_opened(lambda: site, site) as running:
        yield running


@contextlib.contextmanager
def serving_opened(opened: Callable[[], Site], site: Site) -> Iterator[Served]:
    """A real server in a thread, of what `opened` says at each request."""
    with listen("127.0.0.1", 0) as listening:
        app = create_app(opened, Access(token=TOKEN, cookie="c"))
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield Served(site=site, port=listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENM3W_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def serve() -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """`with serve(site) as served: served.get("/")`."""
    return serving


def dropped_sample(root) -> Manifest:
    """As a build leaves it: three documents, two reasons."""
    reasons = ["dedup: duplicate_url", "shards: no_image", "shards: no_image"]
    samples = [
        Sample(
            key=f"{at:032x}",
            document=Document(
                doc_id=f"{at:032x}",
                title=f"Left out {at}",
                spans=(Text(text="words"),),
                dropped=reason,
            ),
        )
        for at, reason in enumerate(reasons)
    ]
    entry = write_shard(root, "data/train-000000.tar", samples, kind="interleaved", split="train")
    made = Manifest(name="dropped by test", kind="interleaved", shards=(entry,), root=root)
    manifest.write(made)
    return made


@pytest.fixture(scope="session")
def serve_opened() -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """The same of what may change: `serve_opened(opened, site)`."""
    return serving_opened


@pytest.fixture(scope="session")
def folders(tmp_path_factory, write_dataset):
    """`a` of 30 documents, one of them excluded; `b` of 25 of them and 3 others; `a`'s dropped."""
    root = tmp_path_factory.mktemp("sets")
    first = write_dataset(root / "a", sizes=(("train", 20), ("val", 10)), name="run a")
    key = next(iter(_keys(first, EXCLUDED)))
    write_dataset(root / "a", sizes=(("train", 20), ("val", 10)), name="run a", exclude=[key])
    write_dataset(root / "b", sizes=(("train", 28),), start=5, name="run b")
    dropped_sample(root / "a.work" / "dropped" / "a-0123abcd")
    return root


def _keys(made: Manifest, number: int) -> Iterator[str]:
    from openm3w.shards.catalog.samples import Catalog

    yield Catalog([made]).read(number).sample.key


@pytest.fixture(scope="session")
def served(folders) -> Iterator[Served]:
    with serving(open_site(str(folders / "a"), compare=str(folders / "b"))) as running:
        yield running
