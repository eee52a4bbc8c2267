"""Files elsewhere: in fsspec's memory; archives and plans."""

import uuid
from collections.abc import Iterator

import fsspec
import pytest

from openm3w.pipeline.archive import Damage, Record, read_records


class MemoryFiles:
    """A folder of fsspec's memory: `uri = memory.put("deep/a.csv", b"...")`."""

    def __init__(self) -> None:
        self._fs = fsspec.filesystem("memory")
        self.root = f"/{uuid.uuid4().hex}"
        self.uri = f"memory:/{self.root}"

    def put(self, name: str, data: bytes) -> str:
        self._fs.pipe_file(f"{self.root}/{name}", data)
        return f"{self.uri}/{name}"

    def clear(self) -> None:
        if self._fs.exists(self.root):
            self._fs.rm(self.root, recursive=True)


@pytest.fixture
def memory_files() -> Iterator[MemoryFiles]:
    files = MemoryFiles()
    yield files
    files.clear()


@pytest.fixture
def read_archive():
    """Reads a file to its records and its damage: `records, damage = read_archive(path)`."""

    def read(path, *, max_body=1_000_000):
        found = list(read_records(path, max_body=max_body))
        records = [item for item in found if isinstance(item, Record)]
        return records, [item for item in found if isinstance(item, Damage)]

    return read


@pytest.fixture
def planned(archive, tmp_path):
    """Maker of the fingerprints of a build whose profiles are those given, the last one chosen."""
    from openm3w.pipeline import planning  # Beam, which most tests go without
    from openm3w.pipeline import recipe as recipes

    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")

    def make(*profiles, overrides=()):
        names = []
        for number, text in enumerate(profiles):
            names.append(tmp_path / f"profile{number}.toml")
            names[-1].write_text(text)
        floor = ",".join(f'"{name}"' for name in names)
        settings = (f"floor=[{floor}]", f"profile={names[-1]}", "scores.model=none", *overrides)
        recipe = recipes.load("openm3w", settings)
        plan = planning.make_plan(recipe, [str(source)], tmp_path / "out", None, lambda _: None)
        assert not (tmp_path / "out.work").exists()
        return plan

    def fingerprints(*profiles, overrides=()):
        return make(*profiles, overrides=overrides).fingerprints

    fingerprints.plan = make
    return fingerprints
