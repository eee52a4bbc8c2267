"""Of what a dataset was made: by one build, import or adoption, or, where merged, by several."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind

_MAX_DEPTH = 20
"""Merges of merges that are followed (ours)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a manifest says of its making, or a merged one of that of a part."""

    name: str
    kind: Kind
    nsamples: int
    """As they were made; a merge may have left out some."""
    recipe: Mapping[str, Any]
    counts: Mapping[str, Any]
    hidden: int = 0
    """Keys on the exclude list."""

    @property
    def distributions(self) -> Mapping[str, Any]:
        """What a build counted over the kept documents.

        Empty where none did, and where samples were taken away or added since. What is hidden since
        then is counted, and what was hidden before is not.
        """
        found = table(self.counts, "distributions")
        known = {self.nsamples, self.nsamples - self.hidden}
        return found if found.get("documents") in known else {}

    @property
    def stages(self) -> list[Mapping[str, Any]]:
        """Of the funnel."""
        return _mappings(self.counts.get("stages"))

    @property
    def edits(self) -> list[Mapping[str, Any]]:
        """Commands that made it anew since, in order."""
        return _mappings(self.counts.get("edits"))


def itself(manifest: Manifest) -> Origin:
    """What a manifest says of itself, merged or not."""
    return Origin(
        name=manifest.name,
        kind=manifest.kind,
        nsamples=manifest.nsamples,
        recipe=manifest.recipe,
        counts=manifest.counts,
        hidden=len(manifest.exclude),
    )


def origins(manifest: Manifest) -> list[Origin]:
    """All that was merged, part by part, merges of merges too; of no merge the dataset itself."""
    return list(_parts(itself(manifest)))


def table(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A nested table; an empty one where there is none."""
    for name in path:
        found = value.get(name)
        value = found if isinstance(found, Mapping) else {}
    return value


def _parts(origin: Origin, depth: int = 0) -> Iterator[Origin]:
    parts = _mappings(origin.recipe.get("parts"))
    if not parts or depth == _MAX_DEPTH:
        yield origin
        return
    for part in parts:
        size = part.get("nsamples")
        yield from _parts(
            Origin(
                name=str(part.get("name", "")),
                kind=origin.kind,
                nsamples=size if isinstance(size, int) else 0,
                recipe=table(part, "recipe"),
                counts=table(part, "counts"),
            ),
            depth + 1,
        )


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    """The tables of a list."""
    return (
        [value for value in values if isinstance(value, Mapping)]
        if isinstance(values, list | tuple)
        else []
    )
