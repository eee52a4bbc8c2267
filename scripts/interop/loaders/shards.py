"""The shards of a split, from the manifest."""

import json
from pathlib import Path


def shard_paths(folder: str, split: str) -> list[str]:
    """The tars of a split, in order."""
    manifest = json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))
    return [
        f"{folder}/{shard['url']}" for shard in manifest["shardlist"] if shard["split"] == split
    ]
