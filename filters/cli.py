"""`m3w filters` and `m3w profiles`: what can be decided, and what each profile decides."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from openm3w import recipe
from openm3w.errors import InputError
from openm3w.filters import registry
from openm3w.filters.comparing import differences, load_any
from openm3w.filters.lists import KINDS, Kind, write_hash_set
from openm3w.filters.page import filters_of, filters_page, summary
from openm3w.filters.plugins import load_plugins
from openm3w.filters.profiles import profile_kind, profile_names, profile_path
from openm3w.filters.profiles_page import put_into
from openm3w.shards import commit
from openm3w.shards.terminal import clean, clean_line

_plugin_option = click.option(
    "plugins",
    "--plugin",
    multiple=True,
    metavar="MODULE",
    help="A module that registers filters of one's own.",
)


@click.group()
def filters() -> None:
    """Rules that decide what is kept of pages, images and captions.

    \b
    m3w filters list
    m3w filters list --json
    """


@filters.command("list")
@_plugin_option
@click.option("as_json", "--json", is_flag=True, help="One JSON array.")
def list_filters(plugins: Sequence[str], *, as_json: bool) -> None:
    """Every filter: name, what it judges, reasons, what it does.

    \b
    m3w filters list
    m3w filters list --plugin my_package.filters
    """
    load_plugins(plugins)
    rows = [
        {
            "name": cls.name,
            "granularity": granularity,
            "reasons": sorted(cls.reasons),
            "summary": summary(cls),
        }
        for granularity in get_args(registry.Granularity)
        for cls in filters_of(granularity)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    cells = [(r["name"], r["granularity"], ", ".join(r["reasons"]), r["summary"]) for r in rows]
    print_table(("filter", "judges", "reasons", "what it does"), cells)


@filters.command(short_help="The documentation page on filters, as Markdown.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file.",
)
def page(output: Path | None) -> None:
    """The documentation page on filters and profiles, as Markdown.

    \b
    m3w filters page --output docs/filters.md
    """
    if output is None:
        click.echo(filters_page(), nl=False)
    else:
        commit.write_bytes(output, filters_page().encode(), through_link=True)


@filters.command(short_help="Lists of domains or URLs as one compact file.")
@click.argument("lists", nargs=-1, required=True, metavar="LIST...")
@click.option("--kind", type=click.Choice(KINDS), default="domain", show_default=True,
              help="What the lists name.")  # fmt: skip
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path),
              help="The file to write.")  # fmt: skip
def hashset(lists: Sequence[str], kind: Kind, output: Path) -> None:
    """Turns lists of domains or URLs into one compact file, for `[pages]` of a profile.

    LIST is a text file, one entry a line, a folder that holds `domains` or `urls`, or a set made
    before. The file takes eight bytes an entry, in memory that all processes share.

    \b
    m3w filters hashset blacklists/adult blacklists/malware --output denied.domains
    m3w filters hashset --kind url blacklists/adult --output denied.urls
    """
    count = write_hash_set(lists, kind, output)
    click.echo(f"{output}: {count} {kind}s")


@click.group()
def profiles() -> None:
    """Named sets of thresholds, each number with its source.

    \b
    m3w profiles list
    m3w profiles show kosmos1
    """


@profiles.command("list")
@click.option("as_json", "--json", is_flag=True, help="One JSON array.")
def list_profiles(*, as_json: bool) -> None:
    """Every shipped profile, what it is for, and one line about it.

    \b
    m3w profiles list
    """
    rows = [(n, profile_kind(n), load_any(n).description) for n in profile_names(None)]
    if as_json:
        values = [{"name": n, "kind": kind, "description": about} for n, kind, about in rows]
        click.echo(json.dumps(values, indent=1))
        return
    print_table(("profile", "kind", "what it is"), rows)


@profiles.command(short_help="A profile with the source of each number.")
@click.argument("name")
@_plugin_option
@click.option("overrides", "--set", multiple=True, metavar="A.B=VALUE", help="Change one value.")
@click.option("as_json", "--json", is_flag=True, help="The decoded values, defaults filled in.")
def show(name: str, plugins: Sequence[str], overrides: Sequence[str], *, as_json: bool) -> None:
    """A profile's TOML with its sources; NAME may be a file of one's own.

    \b
    m3w profiles show openm3w
    m3w profiles show openm3w --set image.min_side=150 --json
    """
    load_plugins(plugins)
    profile = load_any(name, overrides)
    if as_json or overrides:
        plain = {"kind": profile_kind(name), **recipe.to_plain(profile)}
        click.echo(json.dumps(plain, indent=1))
    else:
        text = profile_path(name).read_text(encoding="utf-8")
        click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)


@profiles.command(short_help="The bounds in which profiles differ.")
@_plugin_option
@click.argument("names", nargs=-1, required=True, metavar="NAME NAME...")
@click.option(
    "as_json", "--json", is_flag=True, help="One JSON object: bound to values by profile."
)
def diff(plugins: Sequence[str], names: Sequence[str], *, as_json: bool) -> None:
    """The bounds in which profiles differ; NAMEs may be files of one's own.

    `off` is a rule that a profile does not switch on.

    \b
    m3w profiles diff m3w kosmos1
    m3w profiles diff obelics mmc4 mmc4-core --json
    """
    load_plugins(plugins)
    found = differences(names)
    if as_json:
        values = {key: dict(zip(names, row, strict=True)) for key, row in found.items()}
        click.echo(json.dumps(values, indent=1))
        return
    rows = [(key, *map(told, row)) for key, row in found.items()]
    if not sys.stdout.isatty():
        rows.insert(0, ("bound", *names))  # values say nothing without whose they are
    print_table(("bound", *names), rows)


@profiles.command("page", short_help="Renews the tables of the documentation page.")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path, exists=True))
def profiles_page(path: Path) -> None:
    """Renews the tables of the documentation page on profiles, between its marks.

    \b
    m3w profiles page docs/profiles.md
    """
    try:
        page = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8") from None
    commit.write_bytes(path, put_into(page).encode(), through_link=True)


def told(value: object) -> str:
    """A bound's value as a reader types it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or "none"
    return f"{value:,}".replace(",", "_") if isinstance(value, int) else str(value)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns on a terminal; without their head and separated by tabs in a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for at, title in enumerate(head):
        # A name is copied as a whole: what stands beside it folds first.
        table.add_column(Text(clean_line(title)), overflow="fold", no_wrap=at == 0)
    for row in rows:
        table.add_row(*(Text(clean_line(cell)) for cell in row))  # brackets are no markup
    Console().print(table)
