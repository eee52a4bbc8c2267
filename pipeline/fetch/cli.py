"""`m3w fetched ...`: what is remembered of fetches."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from openm3w.errors import InputError, OutputError
from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.store.contents import PACKS
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.opening import entries_of, open_store
from openm3w.pipeline.fetch.store.remembered import Remembered
from openm3w.pipeline.fetch.store.verifying import Stats
from openm3w.pipeline.fetch.told import MOST_HOSTS, lines
from openm3w.shards import commit
from openm3w.shards.terminal import clean_line

_STORE = click.argument("store", metavar="STORE")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def fetched() -> None:
    """What builds remember of the URLs that they asked for.

    STORE is a folder or a URI that fsspec knows, or the store of a build (its OUTPUT.work), which
    has it in `fetched`.

    \b
    m3w fetched stats out.work
    m3w fetched show s3://bucket/fetched https://a.example/cat.jpg
    m3w fetched bury out.work --domain a.example
    """


@fetched.command()
@_STORE
@_JSON
def stats(store: str, *, as_json: bool) -> None:
    """Counts URLs by what became of them.

    And hosts that were slow or failed, bytes, files and tombstones.

    \b
    m3w fetched stats out.work
    m3w fetched stats out.work --json | jq .outcomes
    """
    memory = open_store(store)
    found = memory.stats()
    if as_json:
        _print_json(_stats_json(memory, found))
        return
    for line in (*(lines(found.hosts) if found.urls else ()), *_takes(memory, found)):
        click.echo(line)


def _stats_json(memory: Memory, found: Stats) -> dict[str, Any]:
    plain = {
        name: getattr(found, name)
        for name in ("urls", "content_bytes", "packs", "pack_bytes", "loose_files", "runs")
    }
    hosts = found.hosts
    return {
        "store": memory.blobs.shown,
        **plain,
        "row_bytes": found.row_bytes,
        "tombstones": len(memory.tombstones()),
        "outcomes": [
            {"outcome": outcome, "reason": reason, "urls": number}
            for (outcome, reason), number in found.outcomes.items()
        ],
        "hosts": {
            "slowest": [host.as_json() for host in hosts.slowest(MOST_HOSTS)],
            "failed_most": [host.as_json() for host in hosts.worst(MOST_HOSTS)],
        },
    }


def _takes(memory: Memory, found: Stats) -> Iterator[str]:
    yield f"{clean_line(memory.blobs.shown)}: {found.urls:,} URLs"
    yield f"bytes: {_size(found.content_bytes)} of contents, {_size(found.pack_bytes)} in packs"
    yield (
        f"files: {found.packs:,} packs; rows in {found.loose_files:,} files of units and "
        f"{found.runs:,} merged runs, {_size(found.row_bytes)}"
    )
    yield f"tombstones: {len(memory.tombstones()):,}"


@fetched.command()
@_STORE
@click.argument("url")
@click.option("--bytes", "file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the bytes, as they came, to this file.")  # fmt: skip
@_JSON
def show(store: str, url: str, file: Path | None, *, as_json: bool) -> None:
    """Prints what is remembered of a URL.

    What became of it, times, headers, signals, hashes, and where its bytes are.

    \b
    m3w fetched show out.work https://a.example/cat.jpg
    m3w fetched show out.work https://a.example/cat.jpg --bytes cat.jpg
    """
    memory = open_store(store)
    found = memory.lookup([url_key(url)]).get(url_key(url))
    if found is None:
        raise InputError(f"{url}: {memory.blobs.shown} remembers nothing of this URL")
    if file is not None:
        _write_bytes(memory, found, file)
    value = asdict(found)
    value["pack"] = memory.blobs.where(f"{PACKS}/{found.pack}") if found.pack else ""
    if as_json:
        _print_json(value)
        return
    for name, field in value.items():
        if name in ("outcome", "status") or field:
            said = ", ".join(field) if isinstance(field, tuple) else str(field)
            click.echo(f"{name:<14} {clean_line(said)}")


def _write_bytes(memory: Memory, found: Remembered, file: Path) -> None:
    if not found.sha256:
        raise InputError(f"{found.url}: {found.reason or found.outcome}, so there are no bytes")
    commit.check_place(file)
    with commit.committed(file, option="--bytes", through_link=True) as opened:
        opened.write(memory.read(found))


@fetched.command()
@_STORE
@_JSON
def verify(store: str, *, as_json: bool) -> None:
    """Reads everything and checks its hashes.

    What is damaged is named, and the exit code is then 1.

    \b
    m3w fetched verify out.work
    """
    memory = open_store(store)
    found = memory.verify()
    if as_json:
        _print_json({"ok": bool(found), **asdict(found)})
    for line in () if as_json else found.damaged:
        click.echo(clean_line(line))
    if not found:
        raise OutputError(
            f"{memory.blobs.shown}: {len(found.damaged)} damaged; when nobody writes it: "
            f"m3w fetched mend {store}"
        )
    if not as_json:
        click.echo(f"ok: {found.urls:,} URLs, {found.contents:,} contents (every byte)")
        if found.orphans:
            size = _size(sum(found.orphans.values()))
            click.echo(f"{len(found.orphans):,} packs ({size}) that no URL needs any more")


@fetched.command()
@_STORE
@_JSON
def mend(store: str, *, as_json: bool) -> None:
    """Forgets what is damaged, to have it again.

    For a store that nobody writes at the time. URLs whose bytes are lost become failed, which
    --refetch failed asks for; what a lost file of rows knew is as if it had never been asked for.

    \b
    m3w fetched mend out.work
    """
    found = open_store(store).mend()
    if as_json:
        _print_json(asdict(found))
        return
    for name in found.files:
        click.echo(f"forgotten: {clean_line(name)}")
    click.echo(f"{len(found.files):,} files of rows forgotten, {found.contents:,} contents lost")


@fetched.command()
@_STORE
@click.option("--full", is_flag=True, help="Make one run of everything.")
@_JSON
def compact(store: str, *, full: bool, as_json: bool) -> None:
    """Merges small files of rows.

    As builds do where there are many. Safe while builds read and write STORE.

    \b
    m3w fetched compact out.work
    m3w fetched compact s3://bucket/fetched --full
    """
    found = open_store(store).compact(min_files=2, full=full)
    if as_json:
        _print_json(asdict(found))
        return
    click.echo(f"files of rows: {found.files_before:,} before, {found.files_after:,} now")


@fetched.command()
@_STORE
@click.option("--url", "urls", multiple=True, metavar="URL", help="An address, in every spelling.")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN",
              help="A domain with all below it.")  # fmt: skip
@click.option("--sha256", "hashes", multiple=True, metavar="HEX",
              help="Bytes of this hash, at every address.")  # fmt: skip
@click.option("--doc-id", "doc_ids", multiple=True, metavar="HEX",
              help="A document, as `m3w view` shows its id.")  # fmt: skip
@click.option("--list", "lists", multiple=True, metavar="FILE",
              help="A file or URI with any of these, one a line.")  # fmt: skip
@click.option("--new", is_flag=True, help="Begin STORE where there is none yet.")
@_JSON
def bury(
    store: str,
    urls: tuple[str, ...],
    domains: tuple[str, ...],
    hashes: tuple[str, ...],
    doc_ids: tuple[str, ...],
    lists: tuple[str, ...],
    *,
    new: bool,
    as_json: bool,
) -> None:
    """Forbids URLs, domains, contents or documents for ever.

    They are neither asked for nor given out. Builds that use STORE drop them as `tombstone`, also
    where an archive has them. What was packed and published before stays where it is: m3w shards
    redact buries and takes it out.

    \b
    m3w fetched bury out.work --url https://a.example/cat.jpg --sha256 9f86d08...
    m3w fetched bury s3://bucket/fetched --list takedowns.txt
    """
    if not (urls or domains or hashes or doc_ids or lists):
        named_by = "--url, --domain, --sha256, --doc-id or --list"
        raise click.UsageError(f"name what to bury, by {named_by}")
    named = {"url": urls, "domain": domains, "sha256": hashes, "doc-id": doc_ids}
    entries = entries_of(named, lists)
    memory = open_store(store, new=new)
    number = memory.bury(entries)
    total = len(memory.tombstones())
    if as_json:
        _print_json({"store": memory.blobs.shown, "new": number, "tombstones": total})
        return
    click.echo(f"{clean_line(memory.blobs.shown)}: {number:,} buried anew, {total:,} tombstones")


@fetched.command()
@_STORE
@_JSON
def tombstones(store: str, *, as_json: bool) -> None:
    """Prints what is buried, one a line.

    `m3w fetched bury --list` reads it.

    \b
    m3w fetched tombstones out.work > takedowns.txt
    """
    found = sorted(open_store(store).tombstones().lines)
    if as_json:
        _print_json(found)
        return
    for line in found:
        click.echo(clean_line(line))


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))
