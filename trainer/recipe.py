"""A training recipe: everything that decides what a run computes, and how it is watched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from openm3w import recipe as recipes
from openm3w.shards.opened import Verify
from openm3w.shards.skipping import OnBad
from openm3w.trainer.data.loader import DataRecipe
from openm3w.trainer.data.splits import Care
from openm3w.trainer.data.tokenizer import TokenizerRecipe
from openm3w.trainer.models.kosmos1 import ModelRecipe
from openm3w.trainer.optim import OptimizerRecipe
from openm3w.trainer.schedule import ScheduleRecipe

FOLDER: Final = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecipe:
    """Where a run computes, and how often it reports and saves."""

    seed: int = 0
    device: str = "auto"
    """`auto` (CUDA where there is one), `cpu`, `cuda` or `cuda:N`."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """`bf16`: autocast; weights, gradients and optimiser stay fp32."""
    log_every: int = 10
    eval_every: int = 100
    eval_documents: int = 200
    """Dev documents of each source."""
    checkpoint_every: int = 100
    keep_checkpoints: int = 2
    tensorboard: bool = False
    verify: Verify = "quick"
    """How shards are checked: `full` (size, sha256, count), `quick` (size, count), `off`."""
    on_bad_shard: OnBad = "raise"
    """What happens at a damage: `raise`, `skip-shard`, or `skip-sample`, counted."""

    @property
    def care(self) -> Care:
        """Both."""
        return Care(verify=self.verify, on_bad=self.on_bad_shard)

    def __post_init__(self) -> None:
        for name in ("log_every", "eval_every", "checkpoint_every", "keep_checkpoints"):
            if getattr(self, name) < 1:
                raise ValueError(f"run.{name}: {getattr(self, name)}, expected 1 or more")
        if self.eval_documents < 0:
            raise ValueError(f"run.eval_documents: {self.eval_documents}, expected 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRecipe:
    """One run of one model on one mixture."""

    model: ModelRecipe
    optimizer: OptimizerRecipe
    schedule: ScheduleRecipe
    data: DataRecipe = field(default_factory=DataRecipe)
    tokenizer: TokenizerRecipe = field(default_factory=TokenizerRecipe)
    run: RunRecipe = field(default_factory=RunRecipe)

    def __post_init__(self) -> None:
        # One image with `<s>`, its tags and one word is the least that a row must hold.
        if self.data.sequence_length < self.model.image_slots + 4:
            raise ValueError(
                f"data.sequence_length {self.data.sequence_length}: an image of "
                f"{self.model.image_slots} slots needs at least {self.model.image_slots + 4}"
            )


def load(name: str, overrides: Sequence[str] = ()) -> TrainRecipe:
    """The shipped recipe `name` or the TOML file of that path, with `a.b=value` overrides.

    Raises:
        RecipeError: it does not decode.
    """
    return recipes.load(name, FOLDER, TrainRecipe, overrides)


def from_table(table: Any, where: str) -> TrainRecipe:
    """A recipe from the table that a run stored."""
    return recipes.decode(TrainRecipe, table, where)


def identity(recipe: TrainRecipe) -> dict[str, Any]:
    """The part of a recipe that decides the numbers of a run, as a plain table.

    A run may be resumed with other reporting and on another device, and with nothing else changed.
    """
    table: dict[str, Any] = recipes.to_plain(recipe)
    table["run"] = {"seed": recipe.run.seed, "precision": recipe.run.precision}
    del table["data"]["feature_cache_gb"]
    return table
