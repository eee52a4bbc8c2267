"""BuildRecipe: everything that decides what a build makes, one small table for each job."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from openm3w import recipe
from openm3w.filters.plugins import load_plugins
from openm3w.filters.profiles import Profile, load_profile
from openm3w.filters.screen import Screen
from openm3w.pipeline.dedup.settings import Dedup
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.images.decode import Encoding
from openm3w.pipeline.scoring.windows import Windows
from openm3w.trainer.encoders.lm_specs import LmSpec

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """How a page becomes text and images."""

    engine: Literal["openm3w", "trafilatura"] = "openm3w"
    """What chooses the content region."""
    timeout_s: float = 5.0
    """Seconds until a page is given up as `parse_timeout`. Ours: the slowest captured page takes
    trafilatura 4.6 seconds."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s < math.inf:
            raise ValueError(f"timeout_s: {self.timeout_s} is no number of seconds above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Where images come from and how they are stored."""

    source: Literal["archive", "http"] = "archive"
    """`archive`: records of the same inputs. `http`: these first, then the web."""
    max_redirects: int = 5
    """As many as a browser-like fetcher follows politely; RFC 9110 names no number."""
    encoding: Encoding = field(default_factory=Encoding)
    originals: bool = False
    """Also stores the bytes of each stored image as they were fetched, in the packs alone."""
    blocklists: tuple[str, ...] = ()
    """Text files of MD5, SHA-256 and PDQ hashes: images that must not be stored."""
    evaluation_images: tuple[str, ...] = ()
    """Text files of perceptual hashes, as `m3w filters phash` makes: pictures of evaluation sets,
    to which the distance of each image is measured."""

    def __post_init__(self) -> None:
        if self.max_redirects < 0:
            raise ValueError(f"max_redirects: {self.max_redirects} is below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Which models score images and texts."""

    model: str = "auto"
    """Of similarity: `auto`, `none`, `lit`, or `openclip:ARCH/CHECKPOINT`."""
    safety: tuple[str, ...] = ()
    """`opennsfw`, and `clip-mlp:PATH` of a safetensors file; see docs/similarity.md."""
    perplexity: str = "none"
    """A causal language model of transformers: `none`, a name of the hub, a folder, a .gguf file,
    or `NAME:FILE.gguf`."""
    perplexity_tokens: int = 1024
    """Tokens of a document that are scored, from its beginning. Ours: above the median of OBELICS'
    documents (677), and one pass of a small model."""
    windows: Windows = field(default_factory=Windows)
    batch_images: int = 16
    """Images that go through the model together: part of the result's last bits, so fixed."""
    threads: int = 2
    """Threads of the model on a CPU; likewise part of the last bits."""

    def __post_init__(self) -> None:
        if self.batch_images < 1 or self.threads < 1 or self.perplexity_tokens < 1:
            raise ValueError("batch_images, threads and perplexity_tokens must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """How kept documents are laid out."""

    samples_per_shard: int = 1000
    """At about five 40 kB images each, some 200 MB: within the 100 MB to 1 GB that loaders like."""
    val_share: float = 0.005
    """Share of the registered domains that goes to `val`."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples_per_shard < 1:
            raise ValueError(f"samples_per_shard is {self.samples_per_shard}, expected at least 1")
        if not 0 <= self.val_share < 1:
            raise ValueError(f"val_share is {self.val_share}, expected 0 <= share < 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told of a build beside its shards."""

    dropped_samples: int = 0
    """Dropped documents of each reason that are written under `dropped` in the store; 0: none."""

    def __post_init__(self) -> None:
        if self.dropped_samples < 0:
            raise ValueError(f"dropped_samples: {self.dropped_samples} is below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecipe:
    """A build of interleaved documents."""

    name: str = "openm3w"
    profile: str = "openm3w"
    """Thresholds of the last job: a shipped profile's name, or a path."""
    profile_set: tuple[str, ...] = ()
    """Changes to the profile, as `image.min_side=150`."""
    plugins: tuple[str, ...] = ()
    """Modules that register filters of one's own, for `[filters.NAME]` of a profile."""
    floor: tuple[str, ...] = ("openm3w", "kosmos1", "m3w", "obelics")
    """Profiles that must stay possible: jobs before the last apply the loosest of their bounds."""
    language: str = ""
    """In the place of every profile's: ISO 639-1 codes, or `any`; "" leaves each its own."""
    pages_per_archive: int = 0
    """Stop after so many pages of each archive; 0 reads all. `--limit` sets it."""
    max_failed_share: float = 0.1
    """More failed pages or images than this end the build: something is wrong with the set-up."""
    screen: Screen = field(default_factory=Screen)
    extract: Extract = field(default_factory=Extract)
    dedup: Dedup = field(default_factory=Dedup)
    images: Images = field(default_factory=Images)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    """How the web is asked, where `images.source` is `http`."""
    scores: Scores = field(default_factory=Scores)
    shards: Shards = field(default_factory=Shards)
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        if self.pages_per_archive < 0:
            raise ValueError(f"pages_per_archive: {self.pages_per_archive} is below 0")
        if not 0 <= self.max_failed_share <= 1:
            raise ValueError(f"max_failed_share: {self.max_failed_share} is outside 0..1")

    def load_profile(self, lm: str = "") -> Profile:
        """The profile of the last job, in this recipe's language if any, bound to its model.

        `lm` is that model's name where a build has noted it: a folder tells its name where it is.

        Raises:
            RecipeError: it does not load, or has no bound for that model.
        """
        return self.bound(self._loaded(self.profile, self.profile_set), lm)

    def bound(self, profile: Profile, lm: str = "") -> Profile:
        """`profile` with the bound for this recipe's language model alone.

        Raises:
            RecipeError: it has no bound for that model.
        """
        if self.scores.perplexity == "none":
            return profile
        rules = profile.perplexity.bound_to(lm or LmSpec.parse(self.scores.perplexity).name)
        return replace(profile, perplexity=rules)

    def floor_profiles(self) -> tuple[Profile, ...]:
        """The profiles whose loosest bounds the jobs before the last apply."""
        names = dict.fromkeys(self.floor)
        return (*map(self._loaded, names), self.load_profile())

    def _loaded(self, name: str, changes: tuple[str, ...] = ()) -> Profile:
        load_plugins(self.plugins)
        language = [f'language="{self.language}"'] if self.language else []
        return load_profile(name, [*language, *changes])


def load(name: str, overrides: tuple[str, ...] = ()) -> BuildRecipe:
    """A shipped recipe or a TOML file, with `a.b=value` overrides.

    Raises:
        RecipeError: it does not decode; unknown keys are named with the nearest known one.
    """
    return recipe.load(name, RECIPES, BuildRecipe, overrides)
