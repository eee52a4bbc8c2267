"""Whether a pair of a caption build is buried."""

from collections.abc import Mapping
from typing import Any

from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.fetch.store.tombstones import Tombstones


def is_buried(pair: Mapping[str, Any], tombstones: Tombstones) -> bool:
    """Whether a row of `rows.PAIRS` is: by the address of its image or page, or by its id."""
    if not len(tombstones):
        return False
    addresses = pair["url"], pair["page"], pair["image"].partition("|")[2]
    return covers_page(tombstones, "", pair["doc_id"]) or any(
        tombstones.covers(address) for address in addresses if address
    )
