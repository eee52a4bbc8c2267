"""Which column of a table is the one that is looked for."""

import textwrap
from collections.abc import Sequence

from openm3w.errors import InputError


def find_column(
    have: Sequence[str], asked: str, known: Sequence[str], option: str, table: object
) -> str:
    """The column asked for, else the first of those known by name.

    Raises:
        InputError: there is none; the message lists what the table has and names the option.
    """
    if asked and asked in have:
        return asked
    if not asked:
        found = next((name for name in known if name in have), None)
        if found is not None:
            return found
    what = f"no column {asked!r}" if asked else f"no column is known by name; name it with {option}"
    has = textwrap.shorten(", ".join(have), 500, placeholder=" ...")
    raise InputError(f"{table}: {what}; it has {has or 'no columns'}")
