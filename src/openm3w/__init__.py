"""OpenM3W: from web archives to interleaved image-text shards, and from shards to a trained model.

`openm3w.shards` holds the Document and its form on disk, `openm3w.filters` the decisions,
`openm3w.pipeline` the Beam jobs and `openm3w.trainer` the PyTorch side. The four live in the
folders of the same names at the top of the checkout; here are links to them.
"""

from pathlib import Path

__version__ = "0.1.0"


def missing_links(package: Path) -> list[str]:
    """Names of the four folders that are not reachable below `package`.

    A checkout made without symbolic links (Git on Windows by default, some archive tools) has
    short text files in their place, and would fail later with an obscure import error.
    """
    names = ("filters", "pipeline", "shards", "trainer")
    return [name for name in names if not (package / name).is_dir()]


if _missing := missing_links(Path(__file__).parent):
    raise ImportError(
        f"openm3w: {', '.join(_missing)} under {Path(__file__).parent} are no links to folders; "
        "clone again with symbolic links: git clone -c core.symlinks=true ..."
    )
