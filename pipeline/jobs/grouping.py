"""Which images are fetched together: those of one archive, or some domains' of the web.

A unit is at most MAX_IMAGES; it has its pack and its ledger, and commits by itself.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from openm3w.filters.url import registered_domain
from openm3w.pipeline.fetch.client.targets import fault_of_scheme
from openm3w.pipeline.images.resolve import Found

MAX_IMAGES = 500
"""Images of one unit: at 40 kB a pack of 20 MB, a minute or two of work."""

_GROUP_IMAGES = 2_000
_MAX_GROUPS = 4_096
"""Groups of domains, each asked by one worker: four units and more, and enough for many workers."""

NOT_HELD = frozenset(
    {"not_in_archive", "redirect_not_in_archive", "revisit_not_in_archive", "not_found"}
)
"""Reasons of what archives and folders do not have.

What they have as something else is not asked again."""

WEB = "web"
"""Stands for an archive where images are asked of the web."""

UrlOf = Callable[[str], str]
"""Name of an image -> what it can be asked for by, if that is an http(s) URL."""


@dataclass(frozen=True, slots=True)
class PackUnit:
    """Images that are fetched together, and the archive they are in: WEB, "" for none."""

    name: str
    archive: str
    found: tuple[Found, ...]


def archive_of(name: str) -> str:
    """The archive of a unit of packs, or what stands for those that no archive holds."""
    return name.rpartition("-")[0]


def home(found: Found) -> str:
    """The archive of an image that was found; those that were not are spread over 16 names."""
    digest = hashlib.blake2b(found.origin.encode(), digest_size=1).hexdigest()
    return f"missing{digest[0]}" if found.reason else found.unit


def make_units(archive: str, found: Iterable[Found]) -> Iterator[PackUnit]:
    """Units of at most MAX_IMAGES, in the order of the archive so that reading goes forward."""
    ordered = sorted(found, key=lambda f: (f.offset, f.origin))
    missing = any(each.reason for each in ordered[:1])
    yield from _units(archive, "" if missing else archive, ordered)


def is_for_web(found: Found, url_of: UrlOf) -> bool:
    """Whether an image that no archive has can be asked of the web."""
    return found.reason in NOT_HELD and not fault_of_scheme(url_of(found.origin))


def not_asked(found: Found, url_of: UrlOf) -> Found:
    """What the web is not asked for, with the reason for that where no archive has it either."""
    fault = fault_of_scheme(url_of(found.origin)) if found.reason in NOT_HELD else ""
    return found._replace(reason=fault) if fault else found


def web_group(found: Found, url_of: UrlOf, number: int) -> tuple[str, Found]:
    """The group that asks for an image, one of as many as `number` images are worth.

    A domain is of one group, so that one worker has its turns.
    """
    groups = min(max(number // _GROUP_IMAGES, 1), _MAX_GROUPS)
    at = int(_spread(registered_domain(url_of(found.origin))), 16) % groups
    return f"{WEB}{at:04d}", Found(found.origin)


def make_web_units(group: str, found: Iterable[Found], url_of: UrlOf = str) -> Iterator[PackUnit]:
    """Units of at most MAX_IMAGES, each domain spread evenly over all of them.

    So the domain with most images, which can be asked no faster, is asked from the beginning on
    beside all others, and no unit is left to it alone, which its deadline would end.
    """
    by_domain: dict[str, list[tuple[str, Found]]] = {}
    for each in found:
        domain = registered_domain(url_of(each.origin))
        by_domain.setdefault(domain, []).append((_spread(each.origin), each))
    ordered = [
        ((at + int(_spread(domain), 16) / 2**64) / len(some), mark, each)
        for domain, some in by_domain.items()
        for at, (mark, each) in enumerate(sorted(some))
    ]
    yield from _units(group, WEB, [each for _, _, each in sorted(ordered)])


def _units(name: str, archive: str, ordered: Sequence[Found]) -> Iterator[PackUnit]:
    for start in range(0, len(ordered), MAX_IMAGES):
        part = tuple(ordered[start : start + MAX_IMAGES])
        yield PackUnit(name=f"{name}-{start // MAX_IMAGES:05d}", archive=archive, found=part)


def _spread(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
