"""`m3w filters` and `m3w profiles`: what can be decided, and what each profile decides."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from openm3w import recipe
from openm3w.errors import NotBuiltError
from openm3w.filters import registry
from openm3w.filters.lists import KINDS, Kind, write_hash_set
from openm3w.filters.page import filters_of, filters_page, summary
from openm3w.filters.plugins import load_plugins
from openm3w.filters.profiles import load_profile, profile_names, profile_path


@click.group()
def filters() -> None:
    """What may drop a page or an image, and under which reasons.

    \b
    m3w filters list
    m3w filters list --json
    """


@filters.command("list")
@click.option("plugins", "--plugin", multiple=True, metavar="MODULE",
              help="A module that registers filters of one's own.")  # fmt: skip
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
    _table(("filter", "judges", "reasons", "what it does"), cells)


@filters.command()
@click.option(
    "--output",
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
        output.write_text(filters_page(), encoding="utf-8")


@filters.command()
@click.argument("lists", nargs=-1, required=True, metavar="LIST...")
@click.option("--kind", type=click.Choice(KINDS), default="domain", show_default=True,
              help="What the lists name.")  # fmt: skip
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path),
              help="The file to write.")  # fmt: skip
def hashset(lists: Sequence[str], kind: Kind, output: Path) -> None:
    """Turns lists of domains or URLs into one compact file, for `[pages]` of a profile.

    LIST is a text file, one entry a line, a folder that holds `domains` or `urls`, or a set made
    before. The file takes eight bytes an entry and is mapped into memory, not read.

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
    """Every shipped profile with one line about it.

    \b
    m3w profiles list
    """
    rows = [(name, load_profile(name).description) for name in profile_names()]
    if as_json:
        click.echo(json.dumps([{"name": name, "description": about} for name, about in rows]))
        return
    _table(("profile", "what it is"), rows)


@profiles.command()
@click.argument("name")
@click.option("overrides", "--set", multiple=True, metavar="A.B=VALUE", help="Change one value.")
@click.option("as_json", "--json", is_flag=True, help="The decoded values, defaults filled in.")
def show(name: str, overrides: Sequence[str], *, as_json: bool) -> None:
    """A profile's TOML with its sources; NAME may be a file of one's own.

    \b
    m3w profiles show openm3w
    m3w profiles show openm3w --set image.min_side=150 --json
    """
    profile = load_profile(name, overrides)
    if as_json or overrides:
        click.echo(json.dumps(recipe.to_plain(profile), indent=1))
    else:
        click.echo(profile_path(name).read_text(encoding="utf-8"), nl=False)


@profiles.command(context_settings={"ignore_unknown_options": True})
@click.argument("names", nargs=-1, type=click.UNPROCESSED)
def diff(names: Sequence[str]) -> None:
    """Planned: the bounds in which two profiles differ."""
    raise NotBuiltError(
        f"`m3w profiles diff {' '.join(names)}` is planned, this version does not have it yet; "
        "compare two `m3w profiles show NAME --json`"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
