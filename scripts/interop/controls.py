"""Ways to spoil a dataset that a check must notice, so that a check that passes means something."""

import io
import re
import struct
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from openm3w.shards.reader import scan_offsets

Members = list[tuple[str, bytes]]

_SHARD = "data/train-000001.tar"
"""Of the second shard: past the samples from which a loader may guess."""


def _cut(folder: Path) -> None:
    path = folder / _SHARD
    offsets = scan_offsets(path)
    # Between two samples and closed as a tar is: nothing but a count tells.
    path.write_bytes(path.read_bytes()[: offsets[-2]] + bytes(1024))
    _write_index(path)


def _other_picture(folder: Path) -> None:
    def edit(members: Members) -> Members:
        first, second = [at for at, (name, _) in enumerate(members) if name.endswith("jpg")][:2]
        members[first] = (members[first][0], members[second][1])
        return members

    edit_shard(folder / _SHARD, edit)


def _exchange(folder: Path) -> None:
    edit_shard(
        folder / _SHARD, lambda members: sorted(members, key=lambda member: member[0], reverse=True)
    )


def _other_number(folder: Path) -> None:
    def edit(members: Members) -> Members:
        return [
            (name, re.sub(rb'"length":(\d+)', rb'"length":"\1"', data)) for name, data in members
        ]

    edit_shard(folder / _SHARD, edit)


def _no_features(folder: Path) -> None:
    _replace(folder / "README.md", r"dataset_info:\n(?:  .*\n)+", "")


def _a_slot_less(folder: Path) -> None:
    _replace(folder / "README.md", r'    - name: "006\.jpg"\n      dtype: image\n', "")


def _nothing_excluded(folder: Path) -> None:
    _replace(folder / ".nv-meta" / "split.yaml", r"exclude:\n(?:  .*\n)+", "exclude: []\n")


def _index_shifted(folder: Path) -> None:
    path = folder / f"{_SHARD}.idx"
    data = path.read_bytes()
    path.write_bytes(data[8:] + data[-8:])


EVERY: Mapping[str, Callable[[Path], None]] = {
    "a shard without its last sample": _cut,
    "a picture with another's bytes": _other_picture,
    "samples in another order": _exchange,
    "a number that became text": _other_number,
}
"""What every loader's check has to notice."""

CONTROLS: Mapping[str, Callable[[Path], None]] = {
    "a card without the columns": _no_features,
    "a card with a column less": _a_slot_less,
    "a split.yaml that excludes nothing": _nothing_excluded,
    "an index whose offsets are shifted": _index_shifted,
}
"""What the check of one loader has to notice."""


def edit_shard(path: Path, edit: Callable[[Members], Members]) -> None:
    """Writes a shard and its index again, with other members."""
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in edit(members):
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    _write_index(path)


def _write_index(path: Path) -> None:
    offsets = scan_offsets(path)
    path.with_name(f"{path.name}.idx").write_bytes(struct.pack(f"<{len(offsets)}Q", *offsets))


def _replace(path: Path, pattern: str, by: str) -> None:
    text = path.read_text(encoding="utf-8")
    changed = re.sub(pattern, by, text)
    if changed == text:
        raise ValueError(f"{path}: has no {pattern!r}, so that nothing was spoilt")
    path.write_text(changed, encoding="utf-8")
