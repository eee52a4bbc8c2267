"""A dataset with a pickle in it, as others may write one: does a loader run it?

The pickle makes a folder and does nothing else.
"""

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

from controls import Members, edit_shard

SUFFIXES = ("pyd", "pickle", "pkl")
"""Pickles to webdataset 0.2.111 and 1.0.2 (autodecode.py) and wids 0.1.11 (wids_decode.py)."""


class _MakesFolder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


def build(dataset: Path, output: Path, trap: Path) -> None:
    """Copies an interleaved dataset; its first document gets pickles that would make `trap`."""
    shutil.copytree(dataset, output)
    payload = pickle.dumps(_MakesFolder(trap))

    def edit(members: Members) -> Members:
        key = members[0][0].partition(".")[0]
        return [members[0], *((f"{key}.{suffix}", payload) for suffix in SUFFIXES), *members[1:]]

    edit_shard(output / "data" / "train-000000.tar", edit)
