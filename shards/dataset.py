"""What `openm3w.open` gives: samples of a dataset or mixture, by number, by key, in a stream."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from openm3w.errors import InputError
from openm3w.shards import manifest as manifests_module
from openm3w.shards import reader
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import VERIFY, Verify
from openm3w.shards.sample import KINDS, Kind, Sample
from openm3w.shards.skipping import ON_BAD, OnBad, Skipped


class Dataset:
    """Samples of one dataset, or of all datasets of a mixture, of one split or of all.

    Numbers count from 0 through all shards, in the order of the manifests; a sample on an exclude
    list keeps its number and is never given. Pickled, a dataset is opened anew, so that worker
    processes can be given one.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        *,
        split: str | None = None,
        verify: Verify = "quick",
        on_bad: OnBad = "raise",
    ) -> None:
        _check("verify", verify, VERIFY)
        _check("on_bad", on_bad, ON_BAD)
        self.manifests = tuple(manifests)
        self.split = split
        self.skipped = Skipped()
        """What streams left out so far because it is damaged."""
        self._verify, self._on_bad = verify, on_bad
        self._catalog = Catalog(self.manifests, split, verify=verify)
        self._numbers: dict[str, int] | None = None

    def __len__(self) -> int:
        """Number of samples, the excluded ones counted."""
        return len(self._catalog)

    def __getitem__(self, which: int | str) -> Sample:
        """One sample: by number, where one below 0 counts from the end, or by its whole key.

        The first key takes one pass over the headers of all shards; the keys are kept then, at
        about 150 bytes each.

        Raises:
            IndexError: there is no such number.
            InputError: there is no such key, or the sample is on an exclude list.
            ShardError: the sample, or with `full` its shard, is damaged; whatever `on_bad` is,
                since there is no other sample to give.
        """
        number = self.number(which) if isinstance(which, str) else which
        if not -len(self) <= number < len(self):
            raise IndexError(f"sample {number}: there are {len(self):,}")
        number %= len(self)
        sample = self._catalog.read(number).sample
        if self._catalog.is_hidden(number, sample.key):
            raise InputError(f"sample {sample.key} is on the exclude list of its manifest")
        return sample

    def __iter__(self) -> Iterator[Sample]:
        """As `stream()`."""
        return self.stream()

    def __contains__(self, key: object) -> bool:
        """Whether a key is there and not excluded."""
        number = self._keys().get(key) if isinstance(key, str) else None
        return number is not None and not self._catalog.is_hidden(number, str(key))

    def stream(self, *, shuffle_seed: int | None = None) -> Iterator[Sample]:
        """All samples, each shard read once from its beginning to its end.

        `shuffle_seed` shuffles the shards of each dataset; the samples of a shard keep their order,
        in which the builder has shuffled them already. Excluded samples are left out; bad ones as
        `on_bad` says, counted in `skipped`.

        Raises:
            ShardError: a shard is missing, damaged, short or not in the manifest, with `raise`.
            InputError: a store or server does not give a shard.
        """
        for number, manifest in enumerate(self.manifests):
            seed = None if shuffle_seed is None else random.Random(f"{shuffle_seed}/{number}")
            yield from reader.read_samples(
                manifest,
                split=self.split,
                verify=self._verify,
                shuffle_seed=None if seed is None else seed.getrandbits(64),
                on_bad=self._on_bad,
                skipped=self.skipped,
            )

    def number(self, key: str) -> int:
        """The number of the sample with this key; of several, the first that is not excluded.

        Raises:
            InputError: there is none.
        """
        try:
            return self._keys()[key]
        except KeyError:
            raise InputError(f"no sample {key!r} among {len(self):,}") from None

    def kind(self, number: int) -> Kind:
        """The kind of sample `number`, without reading it."""
        return self._catalog.place(number).manifest.kind

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Which kinds there are: `interleaved`, `caption`, `text`."""
        found = {manifest.kind for manifest in self.manifests}
        return tuple(kind for kind in KINDS if kind in found)

    @property
    def splits(self) -> tuple[str, ...]:
        """Which splits the manifests have, whichever was opened."""
        return tuple(sorted({s.split for manifest in self.manifests for s in manifest.shards}))

    def _keys(self) -> dict[str, int]:
        if self._numbers is None:
            self._numbers = {}
            for number, key in enumerate(self._catalog.keys()):
                known = self._numbers.setdefault(key, number)
                if known != number and self._catalog.is_hidden(known, key):
                    self._numbers[key] = number
        return self._numbers

    def __repr__(self) -> str:
        names = ", ".join(manifest.name for manifest in self.manifests)
        split = "" if self.split is None else f", split {self.split!r}"
        return f"<Dataset {names!r}{split}: {len(self):,} samples>"

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.manifests, self.split, self._verify, self._on_bad)


def open_dataset(
    manifest: str | Path,
    *,
    split: str | None = None,
    verify: Verify = "quick",
    on_bad: OnBad = "raise",
) -> Dataset:
    """Opens a manifest, a mixture, or the folder of one; see `openm3w.open`."""
    return Dataset(manifests_module.load(manifest), split=split, verify=verify, on_bad=on_bad)


def _again(
    manifests: tuple[Manifest, ...], split: str | None, verify: Verify, on_bad: OnBad
) -> Dataset:
    return Dataset(manifests, split=split, verify=verify, on_bad=on_bad)


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"{name}={value!r}: expected one of {', '.join(known)}")
