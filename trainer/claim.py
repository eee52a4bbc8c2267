"""Whose a run's folder is: `run.json` says which recipe on which data.

A folder with a checkpoint takes only the recipe and the data that it was started with. One
without holds nothing yet that could be lost, and starts over with whatever it is given.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from openm3w import __version__
from openm3w.errors import OutputError
from openm3w.shards import commit
from openm3w.shards.manifest import Manifest
from openm3w.trainer import checkpoint
from openm3w.trainer.recipe import TrainRecipe, identity

RUN_FILE: Final = "run.json"
TOKENIZER_FILE: Final = "tokenizer.json"
_OF_A_RUN: Final = (RUN_FILE, TOKENIZER_FILE, "metrics.jsonl", "tensorboard", "checkpoints")


def check(folder: Path, recipe: TrainRecipe, manifests: Sequence[Manifest]) -> None:
    """Looks whether the run may use `folder`, and changes nothing.

    Raises:
        OutputError: it belongs to another recipe, to other data, or is no run's folder.
    """
    found = commit.read_json(folder / RUN_FILE)
    if found is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(
                f"{folder}: not empty and no run of m3w train; choose another --output"
            )
        return
    wanted = _claim(recipe, manifests)
    if not checkpoint.folders(folder) or found.items() >= wanted.items():
        return
    if found.get("recipe") != wanted["recipe"]:
        change = first_difference(found.get("recipe"), wanted["recipe"])
        raise OutputError(
            f"{folder}: the run there has another recipe ({change}); choose another --output, "
            "or give the recipe that it was started with"
        )
    raise OutputError(
        f"{folder}: the run there was started on other data "
        f"({_data_difference(found.get('data') or [], wanted['data'])}); choose another --output, "
        "or give the same --data in the same order"
    )


def take(
    folder: Path, recipe: TrainRecipe, manifests: Sequence[Manifest], tokenizer: bytes
) -> None:
    """Makes `folder` this run's, after `check`; a run without a checkpoint is cleared away."""
    if checkpoint.folders(folder):
        return
    for name in _OF_A_RUN:
        shutil.rmtree(folder / name, ignore_errors=True)
        if (folder / name).is_file():
            (folder / name).unlink()
    commit.write_json(folder / RUN_FILE, {**_claim(recipe, manifests), "version": __version__})
    commit.write_bytes(folder / TOKENIZER_FILE, tokenizer)


def stored_tokenizer(folder: Path) -> bytes | None:
    """The tokenizer of a run that has a checkpoint."""
    path = folder / TOKENIZER_FILE
    return path.read_bytes() if checkpoint.folders(folder) and path.is_file() else None


def fingerprints(manifests: Sequence[Manifest]) -> list[dict[str, str]]:
    """What tells data apart, in the order of the sources."""
    return [{"kind": m.kind, "name": m.name, "fingerprint": m.fingerprint} for m in manifests]


def first_difference(old: Any, new: Any, path: str = "") -> str:
    """The first key whose values differ, as `model.layers: 4, now 6`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            if old.get(key) != new.get(key):
                where = f"{path}.{key}" if path else str(key)
                return first_difference(old.get(key), new.get(key), where)
    return f"{path}: {old!r}, now {new!r}"


def _claim(recipe: TrainRecipe, manifests: Sequence[Manifest]) -> dict[str, Any]:
    return {"recipe": identity(recipe), "data": fingerprints(manifests)}


def _data_difference(old: Sequence[Mapping[str, str]], new: Sequence[Mapping[str, str]]) -> str:
    if len(old) != len(new):
        return f"{len(old)} sources, now {len(new)}"
    before, now = next((a, b) for a, b in zip(old, new, strict=True) if a != b)
    return f"{before['kind']} {before['name']!r} {before['fingerprint']}, now {now['fingerprint']}"
