"""A run's state on disk: one folder a checkpoint, whole or not there; nothing else knows its form.

`RUN/checkpoints/step-00000100/` holds `model.safetensors`, `training.pt` (optimiser and random
states, read with `weights_only`), `tokenizer.json`, `recipe.json` and `state.json` with the sizes
and digests of the others. It is written under another name and renamed; a folder that does not
match its `state.json` is passed over with a warning.
"""

import json
import os
import shutil
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from openm3w.errors import InputError, OutputError
from openm3w.shards import commit
from openm3w.shards.reader import file_sha256

FORMAT_VERSION: Final = 1
_FOLDER, _PREFIX, _STATE = "checkpoints", "step-", "state.json"
_MODEL, _TRAINING, _TOKENIZER, _RECIPE = (
    "model.safetensors",
    "training.pt",
    "tokenizer.json",
    "recipe.json",
)


class CheckpointWarning(UserWarning):
    """A checkpoint was damaged and passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint that was found whole."""

    folder: Path
    step: int
    """Steps done."""
    state: Mapping[str, Any]
    """What `save` was given: data position, fingerprints, feature width."""

    def tokenizer(self) -> bytes:
        return (self.folder / _TOKENIZER).read_bytes()

    def recipe(self) -> dict[str, Any]:
        table: dict[str, Any] = json.loads((self.folder / _RECIPE).read_bytes())
        return table

    def load_model(self, model: nn.Module) -> None:
        """Copies the weights into `model`, whose shapes must be the same."""
        model.load_state_dict(load_file(self.folder / _MODEL), strict=True)

    def load_training(self, optimizer: torch.optim.Optimizer) -> None:
        """Copies the optimiser's state and sets torch's random generators."""
        saved = torch.load(self.folder / _TRAINING, weights_only=True, map_location="cpu")
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["rng"])
        if torch.cuda.is_available() and saved["cuda_rng"]:
            # A run may go on on a machine with fewer devices.
            torch.cuda.set_rng_state_all(saved["cuda_rng"][: torch.cuda.device_count()])


def save(
    run: Path,
    *,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    tokenizer: bytes,
    recipe: Mapping[str, Any],
    state: Mapping[str, Any],
    keep: int,
) -> Path:
    """Commits the checkpoint of `step` and removes all but the newest `keep`.

    Those of later steps go too: a run that is behind them found them damaged.

    Raises:
        OutputError: the disk is full or the folder cannot be written; older ones stay.
    """
    target = run / _FOLDER / f"{_PREFIX}{step:08d}"
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.mkdir(parents=True)
        weights = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
        save_file(weights, temporary / _MODEL)
        torch.save(_training_state(optimizer), temporary / _TRAINING)
        commit.write_bytes(temporary / _TOKENIZER, tokenizer)
        commit.write_json(temporary / _RECIPE, recipe)
        files = {p.name: file_sha256(p) for p in sorted(temporary.iterdir())}
        head = {"format_version": FORMAT_VERSION, "step": step, "files": files}
        commit.write_json(temporary / _STATE, {**head, "state": state}, indent=None)
        # On the disk before the rename: older checkpoints are removed after it.
        for path in (*temporary.iterdir(), temporary):
            _sync(path)
        # A damaged folder of the same step may be in the way of a run that fell back behind it.
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        _sync(target.parent)
    except (OSError, RuntimeError) as error:
        # torch reports a full disk as RuntimeError.
        raise OutputError(f"{target}: the checkpoint cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _remove_others(target, keep)
    return target


def latest(run: Path) -> Checkpoint | None:
    """The newest whole checkpoint of a run, or None; warns of each damaged one it passes over."""
    for folder in reversed(folders(run)):
        try:
            return read(folder)
        except InputError as error:
            warnings.warn(f"{error}; taking the one before", CheckpointWarning, stacklevel=2)
    return None


def find(path: Path) -> Checkpoint:
    """The checkpoint of `path`: a checkpoint's folder, or the newest one of a run's folder.

    Raises:
        InputError: there is none.
    """
    if (path / _STATE).is_file():
        return read(path)
    found = latest(path) if path.is_dir() else None
    if found is None:
        raise InputError(f"{path}: no checkpoint there; name a run's folder or a step-... folder")
    return found


def read(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`, its files checked against their digests.

    Raises:
        InputError: it is damaged, or of another version.
    """
    value = commit.read_json(folder / _STATE)
    if value is None or "files" not in value:
        raise InputError(f"{folder}: the checkpoint is damaged (no {_STATE} that can be read)")
    if value.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{folder}: format version {value.get('format_version')} is unknown here")
    for name, digest in value["files"].items():
        file = folder / name
        if not file.is_file() or file_sha256(file) != digest:
            raise InputError(f"{folder}: the checkpoint is damaged ({name} is missing or changed)")
    return Checkpoint(folder=folder, step=value["step"], state=value["state"])


def folders(run: Path) -> list[Path]:
    """The run's checkpoints, whole or not, oldest first."""
    return sorted((run / _FOLDER).glob(f"{_PREFIX}[0-9]*"))


def _training_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    cuda: list[Tensor] = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"optimizer": optimizer.state_dict(), "rng": torch.get_rng_state(), "cuda_rng": cuda}


def _remove_others(newest: Path, keep: int) -> None:
    """Old checkpoints, damaged ones of later steps, and what killed attempts left."""
    found = folders(newest.parent.parent)
    behind = found.index(newest) + 1
    left = newest.parent.glob(f".{_PREFIX}*.tmp")
    for folder in (*found[:behind][:-keep], *found[behind:], *left):
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
