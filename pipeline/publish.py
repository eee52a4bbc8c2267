"""The end of every build: report, card, manifest and, last, `_SUCCESS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import OutputError
from openm3w.pipeline.claims import claimed_build, digest_of, note_published, published_build
from openm3w.pipeline.report import write_report
from openm3w.shards import card, manifest, published
from openm3w.shards.manifest import Manifest

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a build ended with."""

    manifest: Manifest
    already_done: bool
    """Everything was committed before, and nothing was done."""


def publish(
    result: Manifest,
    report: Mapping[str, Any],
    identity: Mapping[str, Any] | None = None,
    store: Path | None = None,
) -> Manifest:
    """Writes report, card, manifest and, last, `_SUCCESS`.

    `identity` and `store` are what `claimed` was given.

    Raises:
        OutputError: another build has claimed the folder or replaced shards meanwhile, or it cannot
            be written.
    """
    named = replace(result, build=digest_of(identity)) if identity else result
    if store is not None:
        _check_still_ours(named, store)
    write_report(named.folder, report)
    card.write_extras(named)
    published.remove_left(named.folder)
    manifest.write(named)
    if store is not None:
        note_published(named.folder, store)
    return named


def recipe_table(recipe: Any) -> dict[str, Any]:
    """A recipe as it is published and told from others: without where fetches are remembered.

    That place is of one machine or account, its URI may hold a password, and what is built does
    not depend on it.
    """
    table: dict[str, Any] = recipes.to_plain(recipe)
    if "fetch" in table:
        table["fetch"] = {key: table["fetch"][key] for key in table["fetch"] if key != "store"}
    return table


def _check_still_ours(result: Manifest, store: Path) -> None:
    """Where the folder's file system has no locks, another build may have come between."""
    output = result.folder
    claims = {claimed_build(output, store), published_build(output) or result.build}
    if claims != {result.build} or published.torn_shards(output, result):
        raise OutputError(
            f"{output}: another build has written to it meanwhile; remove the folder and run the "
            "same command again"
        )
