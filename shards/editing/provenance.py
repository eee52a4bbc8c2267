"""What the manifest of an edited dataset says of where it is from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openm3w import __version__, recipe
from openm3w.shards.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What was asked for."""

    name: str
    """`merge`, `split` or `shuffle`."""
    options: Mapping[str, Any]
    """Those that decide what is written."""
    dataset: str
    """Name of what is written."""

    def digest(self, parts: Sequence[Manifest]) -> str:
        """Digits of the command and the data of its parts: equal digits, equal shards."""
        about = [[part.name, part.fingerprint, part.keys] for part in parts]
        return recipe.fingerprint([self.name, dict(self.options), self.dataset, about])


def about(
    command: Command,
    parts: Sequence[Manifest],
    left_out: Mapping[str, int],
    languages: Counter[str],
) -> dict[str, Any]:
    """`recipe`, `models`, `versions` and `counts` of the new manifest.

    Of one part they are its own, and the edit is added to `counts.edits`. Of several the recipe is
    a list of them, each with all that its manifest said.
    """
    edit = {
        "command": command.name,
        "options": dict(command.options),
        "openm3w": __version__,
        "of": [part.fingerprint for part in parts],
        "left_out": dict(left_out),
    }
    counted: dict[str, Any] = {}
    if any("languages" in part.counts for part in parts):
        counted["languages"] = dict(sorted(languages.items()))
    if command.name != "merge":
        (part,) = parts
        edits = [*part.counts.get("edits", ()), edit]
        return {
            "recipe": part.recipe,
            "models": part.models,
            "versions": part.versions,
            "counts": {**part.counts, **counted, "edits": edits},
        }
    return {
        "recipe": {"parts": [_part(part) for part in parts]},
        "models": _models(parts),
        "versions": {**_versions(parts), "openm3w": __version__},
        "counts": {**counted, "edits": [edit]},
    }


def _part(part: Manifest) -> dict[str, Any]:
    return {
        "name": part.name,
        "fingerprint": part.fingerprint,
        "nsamples": part.nsamples,
        "images": part.images,
        "build": part.build,
        "recipe": dict(part.recipe),
        "models": dict(part.models),
        "versions": dict(part.versions),
        "counts": dict(part.counts),
    }


def _models(parts: Sequence[Manifest]) -> dict[str, Any]:
    """Score -> what made it, and where the parts differ, what made it in each of them."""
    found: dict[str, Any] = {}
    for name in sorted({name for part in parts for name in part.models}):
        made = [(part.name, part.models[name]) for part in parts if name in part.models]
        first = made[0][1]
        alike = all(model == first for _, model in made)
        parted = [{"part": part, "model": model} for part, model in made]
        found[name] = first if alike else {"parts": parted}
    return found


def _versions(parts: Sequence[Manifest]) -> dict[str, str]:
    names = sorted({name for part in parts for name in part.versions})
    return {
        name: ", ".join(sorted({part.versions[name] for part in parts if name in part.versions}))
        for name in names
    }
