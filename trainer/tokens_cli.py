"""`m3w shards tokens`. Here, since the tokenizers are the trainer's; torch is not imported."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import click

from openm3w.errors import InputError, ShardError
from openm3w.shards import lengths, manifest
from openm3w.shards.commands.options import json_option, manifest_argument, print_json
from openm3w.shards.commands.printing import table
from openm3w.shards.lengths import Counts, Lengths
from openm3w.shards.locking import only_writer
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import clean_line
from openm3w.shards.writer import ShardEntry
from openm3w.trainer.data.counting import Counter, counter


class _Row(NamedTuple):
    dataset: str
    shard: str
    split: str
    samples: int
    images: int
    tokens: int


@click.command()
@manifest_argument
@click.option(
    "--tokenizer",
    "name",
    required=True,
    metavar="NAME",
    help="bytes, a tokenizer.json, or a SentencePiece .model.",
)
@click.option("--split", help="Of one split only.")
@click.option("--no-write", is_flag=True, help="Print only; for shards that cannot be written.")
@json_option
def tokens(where: str, name: str, split: str | None, *, no_write: bool, as_json: bool) -> None:
    """Counts the text tokens of each shard of MANIFEST by a tokenizer, and keeps the counts.

    Beside each shard, `.tar.lengths` has the images and tokens of every sample, by the tokenizer's
    digest; the same command again reads it, and another tokenizer adds a column. Specials and image
    slots are not counted; samples on the exclude list are.

    \b
    m3w shards tokens out --tokenizer runs/first/tokenizer.json
    m3w shards tokens mix.json --tokenizer llama.model --json
    """
    count = counter(name)
    datasets = manifest.load(where)
    rows = [row for dataset in datasets for row in _rows(dataset, split, count, write=not no_write)]
    if not rows:
        raise InputError(f"{where}: no shards in split {split!r}")
    if as_json:
        samples, images, tokens = _sums(rows)
        print_json(
            {
                "tokenizer": {"name": count.tokenizer.name, "sha256": count.tokenizer.sha256},
                "samples": samples,
                "images": images,
                "tokens": tokens,
                "shards": [row._asdict() for row in rows],
            }
        )
        return
    for line in _lines(rows):
        click.echo(line)


def _rows(dataset: Manifest, split: str | None, count: Counter, *, write: bool) -> Iterator[_Row]:
    """One for each shard; the dataset is locked from the first one that is to be counted."""
    with contextlib.ExitStack() as locked:
        is_locked = not write
        for shard in dataset.shards:
            if split not in (None, shard.split):
                continue
            known = _known(dataset, shard)
            counts = known.tokens_of(count.tokenizer.sha256) if known else None
            if known is None or counts is None:
                if not is_locked:
                    # Two commands that add a column each to one file would lose one of them.
                    locked.enter_context(only_writer(dataset.folder, in_place=True))
                    is_locked = True
                known = lengths.count_lengths(dataset, shard, count.tokenizer, count)
                counts = known.tokens[count.tokenizer]
                if write:
                    lengths.write_lengths(dataset, shard, known)
            yield _row(dataset, shard, known, counts)


def _row(dataset: Manifest, shard: ShardEntry, known: Lengths, counts: Counts) -> _Row:
    return _Row(
        dataset=dataset.name,
        shard=shard.url,
        split=shard.split,
        samples=known.nsamples,
        images=sum(known.images),
        tokens=sum(counts),
    )


def _known(dataset: Manifest, shard: ShardEntry) -> lengths.Lengths | None:
    try:
        return lengths.read_lengths(dataset, shard)
    except ShardError:
        return None  # of another tar, or damaged: it is made again


def _sums(rows: list[_Row]) -> tuple[int, int, int]:
    return (
        sum(row.samples for row in rows),
        sum(row.images for row in rows),
        sum(row.tokens for row in rows),
    )


def _lines(rows: list[_Row]) -> Iterator[str]:
    cells = [
        (
            clean_line(row.shard),
            clean_line(row.split),
            *_grouped(row.samples, row.images, row.tokens),
        )
        for row in rows
    ]
    head = ("shard", "split", "samples", "images", "tokens")
    yield from table([head, *cells, ("all", "", *_grouped(*_sums(rows)))], left=2)


def _grouped(*numbers: int) -> list[str]:
    return [f"{number:,}" for number in numbers]
