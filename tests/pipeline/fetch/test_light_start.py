"""What a worker process that fetches and resizes pictures does not load: it starts for each job."""

import json
import subprocess
import sys

import pytest

BEGIN = """
import json, sys
import openm3w.pipeline.captions.resize
from openm3w.pipeline.fetch import fetching, getting
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.memory import Memory

memory, url = Memory.open(sys.argv[1]), "https://example.org/1.jpg"
assert not memory.lookup([url])
with memory.writing("one") as unit:
    unit.add(Fetched(url=url, outcome="fetched", data=b"picture", signals=("x-robots-tag: all",)))
assert not memory.lookup(["https://example.org/2.jpg"])
"""
READ = """
known = memory.lookup([url])[url]
assert memory.read(known) == b"picture" and known.signals == ("x-robots-tag: all",)
"""
NEVER = {"pandas", "torch", "apache_beam", "fsspec", "openm3w.filters.shipped"}
NEVER |= {"openm3w.pipeline.recipe"}
TO_MERGE = {"pyarrow.compute"}


@pytest.mark.parametrize(("code", "heavy"), [(BEGIN, NEVER | TO_MERGE), (BEGIN + READ, NEVER)])
def test_a_unit_is_stored_without_what_only_other_work_needs(tmp_path, code, heavy):
    said = f"{code}\nprint(json.dumps(sorted({heavy!r} & set(sys.modules))))"
    done = subprocess.run(
        [sys.executable, "-c", said, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
