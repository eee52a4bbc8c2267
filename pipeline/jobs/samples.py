"""What was selected, back to samples: documents, and the bytes of their images from the packs."""

import json
from collections.abc import Callable, Iterable, Iterator

from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.jobs.writing import Row
from openm3w.pipeline.store import Folder
from openm3w.shards.sample import Sample, document_from_json


class Samples:
    """Rows of a SELECTED to samples; `places` says where the images of a row are."""

    def __init__(self, packs: Folder, places: Callable[[Row], Iterable[Place]]) -> None:
        self._packs = packs
        self._places = places

    def __call__(self, selected: Iterable[Row]) -> Iterator[Sample]:
        with PackReader(self._packs.root) as packs:
            for row in selected:
                yield Sample(
                    key=row["doc_id"],
                    document=document_from_json(json.loads(row["document"])),
                    images=tuple(packs.read(place) for place in self._places(row)),
                    extra=json.loads(row.get("extra", "{}")),  # of captions
                )
