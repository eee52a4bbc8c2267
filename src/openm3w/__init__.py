"""OpenM3W: from web archives to interleaved image-text shards, and from shards to a trained model.

`openm3w.shards` holds the Document and its form on disk, `openm3w.filters` the decisions,
`openm3w.pipeline` the Beam jobs and `openm3w.trainer` the PyTorch side. The four live in the
folders of the same names at the top of the checkout; here are links to them. `openm3w.open` reads
what was built.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openm3w.shards.dataset import Dataset
    from openm3w.shards.opened import Verify
    from openm3w.shards.skipping import OnBad

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


def open(  # noqa: A001 - as `gzip.open` and `PIL.Image.open`, never imported by its bare name
    manifest: "str | Path",
    *,
    split: str | None = None,
    verify: "Verify" = "quick",
    on_bad: "OnBad" = "raise",
) -> "Dataset":
    """Opens a dataset or mixture, here or at `gs://`, `s3://` or `https://`, to read its samples.

    Each sample has a `key`, a `document` (text and images in reading order) and `images`, the
    encoded bytes of the document's images. `split` gives one split alone. `verify` says what is
    compared with the manifest: `full` size, sha256 and count of samples, `quick` size and count,
    `off` count. At what is bad, `on_bad` has streams raise, skip the shard, or skip the sample.

    Raises:
        InputError: there is no manifest, it cannot be reached, or nothing is in the split.
        ShardError: it is not a manifest of this version.
        MissingError: the package for a URI's scheme is not installed.
    """
    from openm3w.shards.dataset import open_dataset

    return open_dataset(manifest, split=split, verify=verify, on_bad=on_bad)
