"""What a build asks again for, noted with its output so that a run that was stopped goes on.

An output has one answer for life: what it asked again, and since when, is part of what its images
are made from. Outputs that share a store do not change each other; a new one is made from the
newest answers that a finished `--refetch` left.
"""

import math
from dataclasses import replace
from pathlib import Path

from openm3w import recipe as recipes
from openm3w.errors import RecipeError
from openm3w.pipeline import claims
from openm3w.pipeline.fetch.getting import Again
from openm3w.shards import commit

_ENDED = "refetched"
"""Folder of the store: a file for each `--refetch` that ended, named by when it began."""


def resolved(asked: Again, output: Path, store: Path, now: float) -> Again:
    """What the build into `output` asks again for; nothing is written.

    `asked` is what its command says, whose `since` is not known yet: the same command again, or one
    without `--refetch`, goes on with what it began. `now`: seconds since 1970.
    """
    noted = _noted(output, store)
    if noted is not None and asked in (Again(), replace(noted, since=0.0)):
        return noted
    newest = max((int(path.stem) for path in (store / _ENDED).glob("*.json")), default=0)
    if not asked.refetch:
        return Again(since=float(newest))
    # Times are remembered in whole seconds: what was learned in this one is older.
    return replace(asked, since=float(max(math.ceil(now), newest + 1)))


def _noted(output: Path, store: Path) -> Again | None:
    noted = claims.noted_beside(output, store).get(claims.AGAIN)
    try:
        return None if noted is None else recipes.decode(Again, noted, where=f"{store}: refetch")
    except RecipeError:  # of another version, whose build is another one anyhow
        return None


def end(store: Path, again: Again) -> None:
    """Notes that everything was asked: new outputs are made from what is known since then.

    Raises:
        OutputError: the store cannot be written.
    """
    if again.refetch:
        commit.write_json(store / _ENDED / f"{int(again.since)}.json", recipes.to_plain(again))
