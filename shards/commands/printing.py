"""What `m3w shards` prints, as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openm3w.shards.catalog.stats import ranked
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import clean_line

_BAR = 30


def shard_lines(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Each dataset with its shards and a sum."""
    for manifest in manifests:
        yield f"{clean_line(manifest.name)} ({manifest.kind}), {clean_line(str(manifest.root))}"
        rows: list[tuple[str, ...]] = [
            ("shard", "split", "samples", "images", "characters", "bytes")
        ]
        for shard in manifest.shards:
            numbers = (shard.nsamples, shard.images, shard.characters, shard.filesize)
            rows.append((clean_line(shard.url), clean_line(shard.split), *_grouped(numbers)))
        size = sum(shard.filesize for shard in manifest.shards)
        sums = (manifest.nsamples, manifest.images, manifest.characters, size)
        rows.append(("all", "", *_grouped(sums)))
        yield from table(rows, left=2)
        if manifest.exclude:
            yield f"  {len(manifest.exclude):,} samples are on the exclude list"


def shards_json(manifest: Manifest) -> dict[str, Any]:
    """A dataset and its shards for programs."""
    return {
        "name": manifest.name,
        "kind": manifest.kind,
        "fingerprint": manifest.fingerprint,
        "nsamples": manifest.nsamples,
        "images": manifest.images,
        "characters": manifest.characters,
        "exclude": len(manifest.exclude),
        "shards": [
            {
                "url": shard.url,
                "split": shard.split,
                "nsamples": shard.nsamples,
                "images": shard.images,
                "characters": shard.characters,
                "filesize": shard.filesize,
                "sha256": shard.sha256,
            }
            for shard in manifest.shards
        ],
    }


def stats_lines(value: Mapping[str, Any]) -> Iterator[str]:
    """The statistics of `stats.to_json` in sections."""
    yield (
        f"{value['samples']:,} samples, {value['images']:,} images, "
        f"{value['characters']:,} characters"
    )
    for name in ("kinds", "splits"):
        yield f"{name}: " + ", ".join(f"{clean_line(k)} {v:,}" for k, v in value[name].items())
    yield from _bars("images per document", list(value["images_per_document"].items()))
    rows = {
        "characters": value["text_length"],
        "image width": value["image_width"],
        "image height": value["image_height"],
        "image bytes": value["image_bytes"],
        **value["scores"],
    }
    yield from _quantile_lines({name: row for name, row in rows.items() if row})
    yield from _bars("languages", ranked(value["languages"]))
    if value["parts"]:
        yield from _bars(f"parts ({value['num_parts']:,} in all)", ranked(value["parts"]))
    yield from _bars(f"domains ({value['num_domains']:,} in all)", ranked(value["domains"]))


def stage_line(stage: Stage) -> str:
    """What became of the rows, pages or images of a stage."""
    lost = {**stage.dropped, **stage.failed}
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(lost.items()))
    said = f" ({reasons})" if reasons else ""
    return f"  {stage.kept:,} of {stage.entered:,} {stage.unit} kept{said}"


def table(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Columns of equal width, the first `left` of them flush left, the others flush right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _digits(value: float) -> str:
    """Four digits, and all of those before the point."""
    whole = value % 1 == 0 or abs(value) >= 1000
    return f"{value:,.0f}" if whole else f"{value:,.4g}"


def _quantile_lines(rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield "quantiles"
    head = ("", *next(iter(rows.values())))
    body = [(clean_line(name), *map(_digits, row.values())) for name, row in rows.items()]
    yield from table([head, *body], left=1)


def _bars(title: str, counts: Sequence[tuple[str, int]]) -> Iterator[str]:
    if not counts:
        return
    yield ""
    yield title
    most = max(count for _, count in counts)
    rows = [
        (clean_line(name), f"{n:,}", "█" * max(1, round(_BAR * n / most))) for name, n in counts
    ]
    width, digits = (max(len(row[at]) for row in rows) for at in (0, 1))
    for name, number, bar in rows:
        yield f"  {name:<{width}}  {number:>{digits}}  {bar}"


def _grouped(numbers: Sequence[int]) -> list[str]:
    return [f"{number:,}" for number in numbers]
