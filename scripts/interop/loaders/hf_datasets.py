"""HF datasets: the folder alone, through the columns that its card declares."""

from collections.abc import Iterable, Iterator
from typing import Any

import datasets
from rows import Reading, Row

HONOURS_EXCLUDE = False


def read_samples(folder: str, split: str, *, streaming: bool = False) -> Iterable[dict[str, Any]]:
    """Samples as dicts; an image that a document does not have is None."""
    return datasets.load_dataset(folder, split=split, streaming=streaming)


def readings(folder: str, kind: str) -> Iterator[Reading]:
    """Both splits, mapped and streamed, decoded and as bytes."""
    for split in ("train", "val"):
        for streaming in (False, True):
            way = "streaming" if streaming else "map"
            samples = read_samples(folder, split, streaming=streaming)
            raw = samples
            for name in _image_columns(samples):
                raw = raw.cast_column(name, datasets.Image(decode=False))
            yield Reading(way=way, split=split, rows=map(_row, samples))
            yield Reading(way=f"{way} as bytes", split=split, rows=map(_row, raw))
            if kind == "text" and _image_columns(samples):
                raise ValueError("a text dataset has columns of images")


def _image_columns(samples: Any) -> list[str]:
    return [name for name, kind in samples.features.items() if isinstance(kind, datasets.Image)]


def _row(sample: dict[str, Any]) -> Row:
    images = {name: value for name, value in sample.items() if name.endswith("jpg")}
    return Row(
        key=sample["__key__"],
        document=sample["json"],
        text=sample.get("txt"),
        images={name: _image(value) for name, value in images.items() if value is not None},
    )


def _image(value: Any) -> Any:
    return value["bytes"] if isinstance(value, dict) else value.convert("RGB")
