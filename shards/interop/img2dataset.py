"""img2dataset 1.47: captioned images as tar files, as folders of files, or in Parquet.

Members and fields by its writer.py and downloader.py: `{key}.jpg` (or `png`, `webp`), `{key}.txt`,
`{key}.json`; a table beside each shard, and `_stats.json`. Keys are the shard's number and the
row's in it. In Parquet the image is in a column named by its format, the caption in `txt`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openm3w.shards import commit
from openm3w.shards.captioned import (
    IMAGE_SUFFIXES,
    IMG2DATASET_FIELDS,
    caption_fields,
    caption_of,
)
from openm3w.shards.interop import tables
from openm3w.shards.interop.archives import Members
from openm3w.shards.interop.pairs import ID, SIZES, Fields, pair, read_pairs
from openm3w.shards.interop.rows import Found, Left, each, text
from openm3w.shards.interop.sources import Layout, Source
from openm3w.shards.interop.writing import Done, Part, committed_tar
from openm3w.shards.members import dump, utf8

LAYOUT = Layout(
    suffixes=(".tar",),
    folders=tuple(f".{suffix}" for suffix in IMAGE_SUFFIXES),
    beside=(".parquet",),
)
_DIGITS = 4
"""Of a row's number in a key, for 10,000 a shard (`number_sample_per_shard`)."""
_SCHEMA = tuple((name, "int32" if name in SIZES else "string") for name in IMG2DATASET_FIELDS)


def read(source: Source) -> Iterator[Found]:
    """The pairs of a tar, of a folder of files, or of a table that holds the images."""
    if source.path.name.endswith(".parquet"):
        yield from each(tables.read(source.path, ()), _table_row)
        return
    with Members(source.path) as members:
        # Keys count rows of one run; two runs have the same ones.
        yield from read_pairs(members, Fields(), is_unique=False)


def write(part: Part) -> Done:
    """`<number>.tar`, `<number>.parquet` and `<number>_stats.json`, in a folder for each split."""
    shard = f"{part.number:05d}"
    url, rows = f"{part.split}/{shard}.tar", list[dict[str, Any]]()
    with committed_tar(part.root / url) as tar:
        for number, sample in enumerate(part.samples):
            key = f"{shard}{number:0{_DIGITS}d}"
            about = {
                **caption_fields(key, sample.document, sample.extra),
                ID: sample.document.doc_id,
            }
            tar.add(f"{key}.jpg", sample.images[0])
            tar.add(f"{key}.txt", utf8(caption_of(sample.document)))
            tar.add(f"{key}.json", dump(about))
            rows.append(about)
    table = part.root / part.split / f"{shard}.parquet"
    tables.write_parquet(table, _SCHEMA, rows)
    commit.write_json(table.with_name(f"{shard}_stats.json"), _statistics(len(rows)), indent=4)
    return Done(split=part.split, url=url, kept=len(rows), dropped={})


def _table_row(value: Mapping[str, Any]) -> Found:
    suffix = next((name for name in IMAGE_SUFFIXES if isinstance(value.get(name), bytes)), None)
    if suffix is None:
        status = text(value.get("status"))
        is_told = status in ("failed_to_download", "failed_to_resize")
        return Left(reason=status if is_told else "no_image", outcome="dropped")
    about = {name: it for name, it in value.items() if not isinstance(it, bytes) and name != "txt"}
    caption = text(value.get("txt", value.get("caption")))
    found = {"jpg": value[suffix], "txt": utf8(caption)}
    return pair(text(value.get("key")), found, about, is_unique=False)


def _statistics(count: int) -> dict[str, Any]:
    """As img2dataset's logger writes them; the times are 0, for the same bytes every time."""
    return {
        "count": count,
        "successes": count,
        "failed_to_download": 0,
        "failed_to_resize": 0,
        "duration": 0.0,
        "start_time": 0.0,
        "end_time": 0.0,
        "status_dict": {"success": count},
    }
