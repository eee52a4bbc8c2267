"""Shards that lie in a dataset's folder and are not in its manifest."""

from openm3w.errors import ShardError
from openm3w.shards import commit, storage
from openm3w.shards.manifest import MANIFEST_NAME, Manifest
from openm3w.shards.redaction.work import Work
from openm3w.shards.skipping import OnBad, Skipped
from openm3w.shards.storage import Location, RemotePath

DATA_FOLDER = "data"


def check_strangers(manifest: Manifest, on_bad: OnBad, skipped: Skipped) -> None:
    """Looks for shards that are not in the manifest, which `raise` refuses and others count.

    Raises:
        ShardError: there is one, with `raise`.
    """
    found = strangers(manifest)
    changing = _changing(manifest) if found else frozenset()
    for location in found:
        advice = "remove it, or build the dataset again"
        if location in changing:
            advice = "a redaction changes the dataset; load it again when that has ended"
        fault = ShardError(
            f"{location}: not in the manifest; {advice}",
            reason="not_in_manifest",
        )
        if on_bad == "raise":
            raise fault
        skipped.shard(fault, samples=0)


def _changing(manifest: Manifest) -> frozenset[Location]:
    """What a redaction under way puts in the place of shards, or has since the manifest was read.

    To be told to remove that would cost samples that stay.
    """
    if isinstance(manifest.root, RemotePath):
        return frozenset()
    urls = {
        url for change in Work.of(manifest.root).changes for url in (change.before, change.after)
    }
    now = commit.read_json(manifest.root / MANIFEST_NAME) or {}
    urls |= {str(shard.get("url")) for shard in now.get("shardlist", ())}
    return frozenset(manifest.root / url for url in urls)


def strangers(manifest: Manifest) -> list[Location]:
    """Tar files of the data folder that the manifest does not list.

    Of web servers, which list no folders, none are seen, nor of stores that allow no listing.
    """
    known = {shard.url for shard in manifest.shards}
    names = storage.names_below(manifest.root / DATA_FOLDER)
    urls = (f"{DATA_FOLDER}/{name}" for name in names if name.endswith(".tar"))
    return [manifest.root / url for url in urls if url not in known]
