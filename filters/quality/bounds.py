"""Checks of a rule's bounds when it is made."""


def check_order(rule: object, low: str, high: str) -> None:
    """Raises ValueError where the bound called `low` is negative or above that called `high`."""
    least, most = getattr(rule, low), getattr(rule, high)
    if not 0 <= least <= most:
        raise ValueError(f"{low} {least} is not between 0 and {high} {most}")


def check_shares(rule: object, *names: str) -> None:
    """Raises ValueError where one of these bounds is no share."""
    for name in names:
        if not 0 <= getattr(rule, name) <= 1:
            raise ValueError(f"{name} is {getattr(rule, name)}, expected 0 to 1")
