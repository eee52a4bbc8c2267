from pathlib import Path

import pytest

from openm3w.pipeline.demo import content, site


@pytest.fixture(scope="session")
def demo_archive(tmp_path_factory) -> Path:
    """The demo's archive, written once; not to be changed."""
    path = tmp_path_factory.mktemp("demo") / site.ARCHIVE_NAME
    site.write_archive(content.load(), path)
    return path
