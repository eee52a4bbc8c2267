"""What tests of remembered fetches share: stores of two kinds, and fetches made by hand."""

import dataclasses
import uuid

import fsspec
import pytest

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.memory import Memory


@pytest.fixture(params=["local", "memory"])
def uri(request, tmp_path):
    """The URI of a store that is not there yet: a folder, or an object store."""
    if request.param == "local":
        yield str(tmp_path / "store")
        return
    files, root = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    yield f"memory:/{root}/store"
    if files.exists(root):
        files.rm(root, recursive=True)


class Fetches:
    """Stores fetches of addresses: `fetches.store(memory, unit, range(3))`."""

    def __call__(self, name, data=None, **fields) -> Fetched:
        """What came of http://site.example/NAME: `data`, or bytes that no other name has."""
        body = f"picture {name}".encode() * 20 if data is None else data
        made = {"outcome": "fetched", "status": 200, "fetched_at": "2026-11-23T05:00:00Z"}
        values = {**made, "data": body, **fields}
        return Fetched(url=self.url(name), **values)

    def url(self, name) -> str:
        return f"http://site.example/{name}"

    def key(self, name) -> str:
        return url_key(self.url(name))

    def store(self, memory, unit, names, **fields) -> None:
        with memory.writing(unit) as writing:
            for name in names:
                writing.add(self(name, **fields))

    def files(self, memory: Memory, folder: str) -> list[str]:
        """The names of committed files in a folder of the store."""
        return sorted(memory.blobs.names(folder))

    def facts(self, fetched: Fetched) -> dict:
        """The fields that are remembered as they are."""
        values = dataclasses.asdict(fetched)
        del values["data"]
        return values


@pytest.fixture
def fetches() -> Fetches:
    return Fetches()
