"""What the viewer shows, opened anew where it changed on disk while somebody looks at it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from openm3w.shards.catalog.database import identity
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.numbered import Numbered
from openm3w.shards.catalog.stamps import stamps


class Source:
    """Documents by number, and their facts, as they are on disk."""

    def __init__(
        self,
        open_: Callable[[], Numbered],
        files: Sequence[Path] = (),
        *,
        folder: Path | None = None,
    ) -> None:
        """`files` are looked at beside the manifests; `folder` is that of the facts, for tests.

        Raises:
            OpenM3WError: what `open_` raises.
        """
        self._open, self._files, self._folder = open_, files, folder
        self.catalog, self.facts = self._opened()
        self._stamps = self._look()

    def changed(self) -> bool:
        """Whether a manifest is another now, as after a deletion request, or the facts are gone."""
        return self._look() != self._stamps

    def renew(self) -> None:
        """Opens what is there now.

        Raises:
            OpenM3WError: it cannot be opened any more.
        """
        self._stamps = self._look()
        self.facts.close()
        self.catalog, self.facts = self._opened()
        self._stamps = self._look()

    def again(self, marked: Mapping[int, str]) -> dict[int, str]:
        """Where those of these keys stand now that are still there.

        Raises:
            ShardError: the keys cannot be read.
        """
        if not marked:
            return {}
        keys, catalog = frozenset(marked.values()), self.catalog
        numbered = enumerate(catalog.keys())
        return {n: key for n, key in numbered if key in keys and not catalog.is_hidden(n, key)}

    def _opened(self) -> tuple[Numbered, Facts]:
        catalog = self._open()
        return catalog, Facts.of(catalog, folder=self._folder)

    def _look(self) -> tuple[object, ...]:
        return (*stamps(self.catalog.manifests(), self._files), identity(self.facts.file))
