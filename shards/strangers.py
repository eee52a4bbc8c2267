"""Shards that lie in a dataset's folder and are not in its manifest."""

from openm3w.errors import ShardError
from openm3w.shards import storage
from openm3w.shards.manifest import Manifest
from openm3w.shards.skipping import OnBad, Skipped
from openm3w.shards.storage import Location

DATA_FOLDER = "data"


def check_strangers(manifest: Manifest, on_bad: OnBad, skipped: Skipped) -> None:
    """Looks for shards that are not in the manifest, which `raise` refuses and others count.

    Raises:
        ShardError: there is one, with `raise`.
    """
    for location in strangers(manifest):
        fault = ShardError(
            f"{location}: not in the manifest; remove it, or build the dataset again",
            reason="not_in_manifest",
        )
        if on_bad == "raise":
            raise fault
        skipped.shard(fault, samples=0)


def strangers(manifest: Manifest) -> list[Location]:
    """Tar files of the data folder that the manifest does not list.

    Of web servers, which list no folders, none are seen, nor of stores that allow no listing.
    """
    known = {shard.url for shard in manifest.shards}
    names = storage.names_below(manifest.root / DATA_FOLDER)
    urls = (f"{DATA_FOLDER}/{name}" for name in names if name.endswith(".tar"))
    return [manifest.root / url for url in urls if url not in known]
