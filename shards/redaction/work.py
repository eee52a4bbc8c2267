"""What a redaction that was begun has done of a dataset, so that the same command ends it.

The file stands in the dataset's folder while there is something to end: keys that are hidden and
not yet taken out, and which shards were written anew. It holds keys, names and hashes.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from openm3w.shards import commit

NAME = ".redaction.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A shard and what took its place."""

    before: str
    """URL."""
    before_sha256: str
    after: str = ""
    """URL; "" where nothing is left."""
    after_sha256: str = ""
    samples: int = 0
    """That went whole."""
    images: int = 0
    """That went, those of whole samples too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The state of a redaction."""

    hidden: tuple[str, ...] = ()
    """Keys that the redaction put into the exclude list; others were there for another reason."""
    changes: tuple[Change, ...] = ()
    """Under way: the manifest names either all of the shards before, or all of those after."""
    done: tuple[Change, ...] = ()
    """In the manifest, the shards before removed; of this and of earlier attempts."""

    @classmethod
    def of(cls, root: Path) -> "Work":
        """What is noted in a dataset's folder; nothing where nothing was begun."""
        value = commit.read_json(root / NAME) or {}
        return cls(
            hidden=tuple(value.get("hidden", ())),
            changes=tuple(Change(**one) for one in value.get("changes", ())),
            done=tuple(Change(**one) for one in value.get("done", ())),
        )

    def write(self, root: Path) -> "Work":
        """Notes it."""
        commit.write_json(root / NAME, asdict(self))
        return self


def end(root: Path) -> None:
    """Forgets what was done, and the file where nothing waits for its rewrite."""
    if hidden := Work.of(root).hidden:
        Work(hidden=hidden).write(root)
    else:
        (root / NAME).unlink(missing_ok=True)
