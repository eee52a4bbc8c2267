"""`m3w shards redact`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from openm3w.pipeline.redacting.command import Redacted, Request, datasets_of, index_of, redact
from openm3w.pipeline.redacting.requests import entries
from openm3w.shards import manifest
from openm3w.shards.terminal import clean_line, counted

_AGAIN = "`m3w index {0}` makes it again without what is gone"
_VALUES = "A file with one a line, or"


@click.command("redact")
@click.argument("where", metavar="MANIFEST...", nargs=-1, required=True)
@click.option("--url", "urls", multiple=True, metavar="URL|FILE",
              help="A page or an image, in every spelling of its address.")  # fmt: skip
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN|FILE",
              help="A domain with all below it.")  # fmt: skip
@click.option("--sha256", "hashes", multiple=True, metavar="HEX|FILE",
              help="An image with these bytes, as stored or as fetched.")  # fmt: skip
@click.option("--doc-id", "doc_ids", multiple=True, metavar="ID|FILE",
              help="A document, as m3w view shows its id.")  # fmt: skip
@click.option("--file", "files", multiple=True, metavar="FILE",
              help="A list with lines of all four sorts.")  # fmt: skip
@click.option("--whole-documents", "whole", is_flag=True,
              help="Take documents out whole where one of their images goes.")  # fmt: skip
@click.option("--exclude-only", is_flag=True,
              help="Bury and hide alone; the same command without it rewrites.")  # fmt: skip
@click.option("--store", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Store of the build.  [default: found beside it, else OUTPUT.work]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    where: tuple[str, ...],
    urls: tuple[str, ...],
    domains: tuple[str, ...],
    hashes: tuple[str, ...],
    doc_ids: tuple[str, ...],
    files: tuple[str, ...],
    store: Path | None,
    *,
    whole: bool,
    exclude_only: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Takes documents and images out of datasets and of the stores of their builds.

    A page goes whole, by its address, domain or id. An image goes with what is said of it, by one
    of its addresses, their domain or its bytes; the text around it stays. A value is a file where
    one of that name is there. No later build, refilter or fetch with this store brings them back.
    Run the same command again after a crash. With no value, what was buried before is taken out.

    \b
    m3w shards redact out --url https://a.example/story --dry-run
    m3w shards redact out --file requests.txt --exclude-only
    m3w shards redact out captions --file requests.txt
    m3w shards redact mix.json --domain a.example --domain b.example
    """
    named = {"url": urls, "domain": domains, "sha256": hashes, "doc-id": doc_ids}
    request = Request(
        entries=tuple(entries(named, files)),  # type: ignore[arg-type]
        whole=whole,
        exclude_only=exclude_only,
        dry_run=dry_run,
    )
    found = [datasets_of(one) for one in where]
    roots = list(dict.fromkeys(root.resolve() for some, _ in found for root in some))
    say = _silent if as_json else click.echo
    done = [redact(root, request, store=store, say=say) for root in roots]
    if not dry_run:
        _join_again(found)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in done], ensure_ascii=False, indent=1))
        return
    for one in done:
        for line in _lines(one, request):
            click.echo(clean_line(line))
    mixtures = {str(mixture): index_of(mixture) for _, mixture in found if mixture}
    indexes = {**{one.dataset: one.index for one in done}, **mixtures}
    for place, index in indexes.items():
        if index:
            click.echo(clean_line(f"{index}: is of what was there before; {_AGAIN.format(place)}"))


def _silent(_: str) -> None:
    """Says nothing: standard output is for a program."""


def _join_again(found: Sequence[tuple[Sequence[Path], Path | None]]) -> None:
    """Mixtures name the fingerprints of their parts, which are others now."""
    for roots, mixture in found:
        if mixture is not None:
            parts = [part for root in roots for part in manifest.load(root)]
            name = json.loads(mixture.read_bytes()).get("name", mixture.stem)
            manifest.write_mixture(mixture, parts, name)


def _lines(done: Redacted, request: Request) -> list[str]:
    would = "would go" if request.dry_run else "hidden" if request.exclude_only else "gone"
    lines = [
        f"{done.dataset}: {counted(done.samples, 'sample')} and {counted(done.images, 'image')} "
        f"{would}, {counted(done.shards, 'shard')}"
        + (" to be" if request.dry_run else "")
        + " written anew"
    ]
    if request.exclude_only and not request.dry_run:
        lines.append("the same command without --exclude-only takes them out of shards and store")
    lines += [
        f"{url}: is not ours and stays; the manifest names another shard" for url in done.elsewhere
    ]
    return lines
