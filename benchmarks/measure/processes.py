"""What processes that are measured are started with."""

import os


def environment(**more: str) -> dict[str, str]:
    """This process's own and `more`, in which Python caches the bytecode of what it imports.

    With PYTHONDONTWRITEBYTECODE a checkout is compiled anew in each process that starts, and what
    pip installed, which compiles it once, is not: nobody who installs both meets that difference.
    """
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | more
