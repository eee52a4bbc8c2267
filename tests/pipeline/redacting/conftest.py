"""A small build with its store, whose archive stays."""

import shutil

import pytest

from openm3w.pipeline.fetch import process


@pytest.fixture(scope="session")
def redactable(tmp_path_factory, image_bytes):
    """`out`, `out.work` and `site.warc.gz` in a folder, and the site."""
    from tests.conftest import ArchiveBuilder
    from tests.pipeline.redacting.redactable import build, write_site

    folder = tmp_path_factory.mktemp("redactable")
    site = write_site(folder, ArchiveBuilder(), image_bytes)
    build(folder, folder / "out")
    return folder, site


@pytest.fixture
def copy(redactable, tmp_path):
    """A copy that a test may change."""
    folder, _ = redactable
    for name in ("out", "out.work"):
        shutil.copytree(folder / name, tmp_path / name)
    shutil.copy(folder / "site.warc.gz", tmp_path)
    yield tmp_path
    process.close()
