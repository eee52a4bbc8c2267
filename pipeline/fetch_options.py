"""Options of commands that fetch images, and the changes to a recipe that they are."""

import json
import math
from typing import get_args

import click

from openm3w.errors import RecipeError
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.fetch.settings import Refetch
from openm3w.pipeline.options import combined

_DAY = 86_400.0
_OLD_DAYS = 30.0
"""Ours: a month, in which most sites change little."""
_REFETCH = [name for name in get_args(Refetch) if name]


fetch_options = combined(
    click.option(
        "--fetch", is_flag=True, help="Ask the web for images that are not in the inputs."
    ),
    click.option(
        "--contact",
        default="",
        metavar="URL",
        help="URL or e-mail address in the user agent: whom the owner of a site may write to. "
        "It is public, also in the manifest.",
    ),
    click.option(
        "--refetch",
        type=click.Choice(_REFETCH),
        help="Ask again for what is remembered.",
    ),
    click.option(
        "--older-than",
        type=click.FloatRange(min=0),
        metavar="DAYS",
        help="What --refetch older-than means.  [default: 30]",
    ),
    click.option(
        "--allow-private-networks",
        is_flag=True,
        help="Let addresses of this machine and of private networks pass; for tests alone.",
    ),
)
"""`--fetch`, `--contact`, `--refetch`, `--older-than` and `--allow-private-networks`."""


def fetch_overrides(*, fetch: bool, contact: str, allow_private_networks: bool) -> tuple[str, ...]:
    """The options as changes to a recipe, before those of `--set`."""
    found = []
    if fetch:
        found.append("images.source=http")
    if contact:
        found.append(f"fetch.manners.contact={json.dumps(contact)}")
    if allow_private_networks:
        found.append("fetch.limits.allow_private_networks=true")
    return tuple(found)


def asked_again(refetch: Refetch | None, older_than: float | None, source: str) -> Again:
    """What `--refetch` and `--older-than` (days) ask again for; `since` when, the plan finds.

    `source`: the recipe's `images.source`.

    Raises:
        RecipeError: an option says nothing, since another is missing, or is no number of days.
    """
    if older_than is not None and refetch != "older-than":
        raise RecipeError("--older-than: says nothing without --refetch older-than; add it")
    if older_than is not None and not math.isfinite(older_than):
        raise RecipeError(f"--older-than {older_than}: expected a number of days")
    if refetch and source != "http":
        raise RecipeError(f"--refetch {refetch}: nothing is asked of the web; add --fetch")
    if refetch != "older-than":
        return Again(refetch=refetch or "")
    days = _OLD_DAYS if older_than is None else older_than
    return Again(refetch=refetch, older_than_seconds=days * _DAY)
