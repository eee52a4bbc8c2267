"""CaptionRecipe: everything that decides what a caption build makes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from openm3w import recipe
from openm3w.filters.caption_profile import CaptionProfile, load_caption_profile
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.shards.captioned import IMG2DATASET_FIELDS, OWN_FIELDS

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Which captions of a row become samples."""

    take: Literal["all", "first"] = "all"
    """Where a row has several captions: one sample for each, or only the first."""
    columns: tuple[str, ...] = ()
    """Columns that samples carry under their own names, as img2dataset's --save_additional_columns.
    Those of known scores are carried in any case."""

    def __post_init__(self) -> None:
        if taken := sorted(set(self.columns) & {*IMG2DATASET_FIELDS, *OWN_FIELDS}):
            raise ValueError(f"columns: {', '.join(taken)} would hide fields that a sample has")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards(recipes.Shards):
    """How kept pairs are laid out; without URLs, `val_share` is of the images."""

    samples_per_shard: int = 10_000
    """img2dataset's default; at 256 px some 200 MB."""
    img2dataset_files: bool = True
    """Beside each shard the table and the statistics that img2dataset writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRecipe:
    """A build of images with captions."""

    name: str = "captions"
    profile: str = "captions"
    """Which pairs are kept: a shipped caption profile's name, or a path."""
    profile_set: tuple[str, ...] = ()
    """Changes to the profile, as `images.min_side=150`."""
    max_failed_share: float = 0.1
    """More failed rows or images than this end the build: something is wrong with the set-up."""
    captions: Captions = field(default_factory=Captions)
    images: Images = field(default_factory=Images)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    """How the web is asked, where `images.source` is `http`."""
    resize: Resize = field(default_factory=Resize)
    shards: Shards = field(default_factory=Shards)

    def load_profile(self) -> CaptionProfile:
        """The profile with this recipe's changes.

        Raises:
            RecipeError: there is no such profile, it is not of captions, or it does not decode.
        """
        return load_caption_profile(self.profile, self.profile_set)


def load(name: str = "captions", overrides: tuple[str, ...] = ()) -> CaptionRecipe:
    """A shipped recipe or a TOML file, with `a.b=value` overrides.

    Raises:
        RecipeError: it does not decode; unknown keys are named with the nearest known one.
    """
    return recipe.load(name, RECIPES, CaptionRecipe, overrides)
