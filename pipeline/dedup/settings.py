"""`[dedup]` of a recipe: how near duplicates are found, evaluation texts, the state of crawls."""

from dataclasses import dataclass, field

from openm3w.errors import NotBuiltError, RecipeError
from openm3w.filters.dedup.contamination import DEFAULT_NGRAM
from openm3w.filters.dedup.minhash import MinHash

VERIFIED = 0.7
"""Least estimated similarity of a verified pair. With 112 values the standard error at a true
similarity of 0.5 is 0.047: a pair as far apart as that is marked about once in 10^5."""


MAX_ROUNDS = 64
"""Each doubles the length of chains that are joined: of 2^64 documents nobody has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """How near duplicates are found."""

    minhash: MinHash = field(default_factory=MinHash)
    verify: float = 0.0
    """Least estimated Jaccard similarity of a pair; 0 takes each shared band for granted."""
    rounds: int = 0
    """Star rounds that join pairs to components; 0 leaves them pairs."""

    def __post_init__(self) -> None:
        if not 0 <= self.verify <= 1:
            raise RecipeError(f"dedup.verify: is {self.verify}; use a similarity from 0 to 1")
        if not 0 <= self.rounds <= MAX_ROUNDS:
            raise RecipeError(f"dedup.rounds: is {self.rounds}; use 0 to {MAX_ROUNDS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    """What job 2 marks and counts. A store's numbers depend on this, and on no profile."""

    minhash: MinHash = field(default_factory=MinHash)
    """Words of a shingle, bands, rows and seed of the signatures."""
    verify: float = 0.0
    """Least estimated similarity of a marked pair, as 0.7; 0: sharing a band is enough."""
    rounds: int = 0
    """Star rounds that join pairs to components; 0 leaves them pairs. Six are enough for most."""
    seed: int = 0
    """Of the order of documents inside a domain and inside a set of images."""
    evaluation_texts: tuple[str, ...] = ()
    """Files of texts that should not be trained on: .txt, one a line, or .jsonl."""
    ngram: int = DEFAULT_NGRAM
    """Words in a row that a document and an evaluation text must share."""
    state: str = ""
    """Folder of what earlier crawls left; "": this build stands alone."""
    crawl: str = ""
    """Name of this build's crawl in the state, as CC-MAIN-2026-05."""

    def __post_init__(self) -> None:
        self.near  # noqa: B018  (which checks its values)
        if self.ngram < 1:
            raise RecipeError(f"dedup.ngram: is {self.ngram}; use 1 or more")
        if bool(self.state) != bool(self.crawl):
            there, missing = ("state", "crawl") if self.state else ("crawl", "state")
            raise RecipeError(f"dedup.{there}: needs dedup.{missing} too; set both or neither")
        if "://" in self.state:
            raise NotBuiltError(
                f"dedup.state: {self.state} is no folder of this machine; object stores are not "
                "built yet"
            )

    @property
    def near(self) -> Near:
        """How near duplicates are found."""
        return Near(minhash=self.minhash, verify=self.verify, rounds=self.rounds)
