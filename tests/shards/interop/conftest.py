"""One call for an import."""

from collections.abc import Callable
from pathlib import Path

import pytest
from foreign_forms import encoded

from openm3w.shards.interop import sources
from openm3w.shards.interop.formats import FORMATS, kind_of
from openm3w.shards.interop.importing import Imported, import_dataset
from openm3w.shards.interop.order import Order


@pytest.fixture(scope="session")
def teal() -> bytes:
    """A JPEG of 60 x 40."""
    return encoded()


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., Imported]:
    """`imported("obelics", path, ..., images=[...])`, written to the test's `out`."""

    def run(wanted: str, *named: Path, output: str = "out", kind=None, split=None, val=(), **rest):
        form = FORMATS[wanted]
        return import_dataset(
            Order(
                format=form,
                sources=sources.find(named, form.layout, split=split, val=val),
                output=tmp_path / output,
                name="imported",
                kind=kind_of(form, kind),
                **rest,
            )
        )

    return run
