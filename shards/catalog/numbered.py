"""Samples as one numbered row, whatever they are read from."""

import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from openm3w.errors import InputError
from openm3w.shards.document import Document
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.terminal import clean_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sample, and where in what was opened it stands."""

    sample: Sample
    kind: Kind
    dataset: str
    """Name of the dataset, which in a mixture tells where a sample is from."""
    split: str
    number: int
    """Counted from 1."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some neighbouring documents, that are read together when all are read."""

    first: int
    """Number of its first document."""
    size: int
    """Documents."""
    kind: Kind
    dataset: str
    split: str
    documents: Callable[[], Iterator[tuple[str, Document]]]
    """Reads key and document of each, in order, without the bytes of images.

    Raises:
        ShardError: they are damaged, or not as many.
    """
    excluded: frozenset[str] = frozenset()
    """Keys of its dataset that are never shown."""


class Numbered(abc.ABC):
    """Samples by number, from 0, and by key. Those on an exclude list keep their number, unseen."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many there are, the excluded ones counted."""

    @abc.abstractmethod
    def read(self, number: int) -> Shown:
        """Sample `number`, with what a viewer says about where it is from.

        Raises:
            IndexError: `number` is outside 0 <= number < len.
            ShardError: it is damaged.
        """

    @abc.abstractmethod
    def keys(self) -> Iterator[str]:
        """All keys in order, the excluded ones too."""

    @abc.abstractmethod
    def parts(self) -> Sequence[Part]:
        """All documents, part by part."""

    @property
    @abc.abstractmethod
    def roots(self) -> Sequence[str]:
        """The places that the samples are read from."""

    @property
    @abc.abstractmethod
    def state(self) -> Sequence[str]:
        """What tells this data in these places from other data there."""

    def is_hidden(self, number: int, key: str) -> bool:  # noqa: ARG002 - most have no list
        """Whether sample `number`, which has this key, is on the exclude list of its dataset.

        It takes both: in sets of others equal keys are of different samples.
        """
        return False

    def manifests(self) -> Sequence[Manifest]:
        """Of the datasets that they are of; what has none is its own file."""
        return ()

    @property
    def chosen(self) -> str:
        """The split that they are, where it was chosen among others."""
        return ""

    @property
    def hides_any(self) -> bool:
        """Whether there is an exclude list."""
        return False

    def step(self, number: int, by: int) -> Shown | None:
        """The first sample from `number` in direction `by` (1 or -1) that is not excluded."""
        while 0 <= number < len(self):
            shown = self.read(number)
            if not self.is_hidden(number, shown.sample.key):
                return shown
            number += by
        return None

    def walk(self, number: int = 0) -> Iterator[Shown]:
        """All samples from `number` on, without the excluded ones."""
        while (shown := self.step(number, 1)) is not None:
            yield shown
            number = shown.number

    def find(self, wanted: str) -> int:
        """The number of the sample named by a key, the beginning of a key, or a number from 1.

        Raises:
            InputError: none or several have it, or it is on the exclude list.
        """
        if wanted == "0":
            raise InputError(f"no sample 0; name a key, or a number from 1 to {len(self):,}")
        if wanted.isdecimal() and not wanted.startswith("0") and int(wanted) <= len(self):
            return int(wanted) - 1
        begin_alike: list[tuple[str, int]] = []
        hidden = ""
        for number, key in enumerate(self.keys()):
            if not wanted or not key.startswith(wanted):
                continue
            if self.is_hidden(number, key):
                hidden = wanted if wanted in (key, hidden) else key
            elif key == wanted:
                return number
            else:
                begin_alike.append((key, number))
        if hidden and (hidden == wanted or not begin_alike):
            raise InputError(f"sample {hidden} is on the exclude list of its manifest")
        return self._only(wanted, begin_alike)

    def _only(self, wanted: str, found: list[tuple[str, int]]) -> int:
        if not found:
            raise InputError(
                f"no sample {clean_line(wanted)!r} among {len(self):,}; "
                f"name a key, its beginning, or a number from 1 to {len(self):,}"
            )
        (key, number), *others = found
        if others:
            raise InputError(
                f"{clean_line(wanted)!r} begins {len(found):,} keys, as {key} and {others[0][0]}; "
                "name more of it"
            )
        return number
