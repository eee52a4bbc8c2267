"""A run: its folder, and the parts that a recipe and the data make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from openm3w import recipe as recipes
from openm3w.errors import OutputError, RecipeError
from openm3w.shards.manifest import Manifest
from openm3w.trainer import checkpoint, claim
from openm3w.trainer.data import splits, stream, tokenizer
from openm3w.trainer.data.loader import MixtureLoader, Source, plan_sources
from openm3w.trainer.data.packing import Row
from openm3w.trainer.data.stream import RowFormat
from openm3w.trainer.data.tokenizer import Tokenizer
from openm3w.trainer.encoders.protocol import VisionEncoder
from openm3w.trainer.features import FeatureCache
from openm3w.trainer.log import Say
from openm3w.trainer.models.kosmos1 import Kosmos1
from openm3w.trainer.optim import make_optimizer
from openm3w.trainer.recipe import TrainRecipe
from openm3w.trainer.task import KosmosTask, Task


@dataclass(slots=True, kw_only=True)
class Run:
    """Everything that the loop needs; `step` and the parts' states move on."""

    recipe: TrainRecipe
    folder: Path
    device: torch.device
    tokenizer: Tokenizer
    cache: FeatureCache
    loader: MixtureLoader
    task: Task
    optimizer: torch.optim.AdamW
    dev: tuple[tuple[Row, ...], ...]
    """Dev rows of each source."""
    step: int
    """Steps done."""

    @property
    def sources(self) -> tuple[Source, ...]:
        return self.loader.sources

    def save(self) -> Path:
        """Commits a checkpoint of the steps done."""
        return checkpoint.save(
            self.folder,
            step=self.step,
            model=self.task.model,
            optimizer=self.optimizer,
            tokenizer=self.tokenizer.to_bytes(),
            recipe=recipes.to_plain(self.recipe),
            state={
                "data": self.loader.state_dict(),
                "fingerprints": claim.fingerprints([s.manifest for s in self.sources]),
                "feature_width": self.cache.encoder.dim,
            },
            keep=self.recipe.run.keep_checkpoints,
        )


def open_run(
    recipe: TrainRecipe,
    manifests: Sequence[Manifest],
    folder: Path,
    *,
    say: Say,
    encoder: VisionEncoder | None = None,
) -> Run:
    """Starts the run in `folder`, or takes it up at its newest whole checkpoint.

    Raises:
        OutputError: the folder belongs to another recipe, to other data, or to something else.
        InputError: the data has nothing to train on.
    """
    sources = sources_of(recipe, manifests)
    used = [s.manifest for s in sources]
    claim.check(folder, recipe, used)
    device = choose_device(recipe.run.device)
    encoder = encoder or load_encoder(recipe.model.vision_encoder, device)
    cache = FeatureCache(encoder, device, max_gb=recipe.data.feature_cache_gb)
    words = _tokenizer(recipe, sources, folder, say)
    rows = row_format(recipe, words)
    loader = MixtureLoader(
        sources, recipe.data, rows, cache, seed=recipe.run.seed, care=recipe.run.care
    )
    torch.manual_seed(recipe.run.seed)
    model = make_model(recipe, words.vocab_size, encoder.dim)
    model.reset_parameters()
    task = KosmosTask(model.to(device), [s.name for s in sources])
    run = Run(
        recipe=recipe,
        folder=folder,
        device=device,
        tokenizer=words,
        cache=cache,
        loader=loader,
        task=task,
        optimizer=make_optimizer(recipe.optimizer, task.trainable()),
        dev=tuple(_dev_rows(recipe, source, rows) for source in sources),
        step=0,
    )
    # Only now, so that a recipe that names what is not there leaves no folder behind.
    claim.take(folder, recipe, used, words.to_bytes())
    _resume(run, say)
    return run


def sources_of(recipe: TrainRecipe, manifests: Sequence[Manifest]) -> tuple[Source, ...]:
    """The mixture of these manifests under this recipe.

    Raises:
        RecipeError: no manifest is of a kind that the mixture names.
    """
    try:
        return plan_sources(manifests, recipe.data, slots=recipe.model.image_slots)
    except ValueError as error:
        raise RecipeError(str(error)) from error


def describe(run: Run, manifests: Sequence[Manifest]) -> list[str]:
    """What is about to be trained, for the head of a log."""
    number = sum(p.numel() for _, p in run.task.trainable())
    size = f"{number / 1e6:.1f} M parameters, {run.tokenizer.vocab_size:,} ids"
    lines = [f"{size}, {run.cache.encoder.name} frozen, on {run.device}"]
    wanted = run.recipe.data.mixture
    present = {source.kind for source in run.sources}
    for source, dev in zip(run.sources, run.dev, strict=True):
        lines.append(
            f"source {source.name} ({source.kind}): {source.manifest.nsamples:,} samples, "
            f"{source.share:.1%} of the tokens, {len(dev) or 'no'} dev rows"
        )
    if absent := [kind for kind, ratio in wanted.items() if ratio and kind not in present]:
        lines.append(f"no data of kind {', '.join(absent)}: the other ratios are scaled to 1")
    if unused := sorted({m.kind for m in manifests} - present):
        lines.append(f"data of kind {', '.join(unused)} has ratio 0 and is not read")
    return lines


def make_model(recipe: TrainRecipe, vocab_size: int, feature_width: int) -> Kosmos1:
    """The recipe's model with weights not yet drawn."""
    return Kosmos1(
        recipe.model,
        vocab_size=vocab_size,
        feature_width=feature_width,
        length=recipe.data.sequence_length,
    )


def row_format(recipe: TrainRecipe, words: Tokenizer) -> RowFormat:
    """How the recipe packs documents."""
    return RowFormat(
        encode=words.encode,
        slots=recipe.model.image_slots,
        length=recipe.data.sequence_length,
        max_images=recipe.data.max_images_per_row,
        buffer=recipe.data.pack_buffer,
    )


def load_encoder(name: str, device: torch.device) -> VisionEncoder:
    """The frozen encoder `name`; loaded here so that the rest of the trainer never needs it."""
    from openm3w.trainer.encoders import load_vision_encoder

    return load_vision_encoder(name, str(device))


def choose_device(name: str) -> torch.device:
    """The device of a recipe's `run.device`.

    Raises:
        RecipeError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RecipeError(f"run.device {name!r}: expected auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise RecipeError(f"run.device {name!r}: expected auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RecipeError(f"run.device {name!r}: no such CUDA device here; set run.device=auto")
    return device


def _tokenizer(recipe: TrainRecipe, sources: Sequence[Source], folder: Path, say: Say) -> Tokenizer:
    """The run's stored tokenizer; a new one where there is none yet."""
    stored = claim.stored_tokenizer(folder)
    if stored is not None:
        return tokenizer.from_bytes(stored, where=str(folder / claim.TOKENIZER_FILE))
    say(f"tokenizer: {recipe.tokenizer.kind}")
    return tokenizer.make_tokenizer(recipe.tokenizer, _texts(recipe, sources))


def _texts(recipe: TrainRecipe, sources: Sequence[Source]) -> Iterator[str]:
    """Equally much text of each source, so that no source's words are unknown to a learned BPE."""
    budget = recipe.tokenizer.sample_characters // len(sources)
    for source in sources:
        left = budget
        for text in splits.train_texts(
            source.manifest,
            seed=recipe.run.seed,
            holdout=recipe.data.holdout_share,
            care=recipe.run.care,
        ):
            yield text[:left]
            left -= len(text)
            if left <= 0:
                break


def _dev_rows(recipe: TrainRecipe, source: Source, rows: RowFormat) -> tuple[Row, ...]:
    if not recipe.run.eval_documents:
        return ()
    return tuple(
        stream.dev_rows(
            source.manifest,
            rows,
            holdout=recipe.data.holdout_share,
            documents=recipe.run.eval_documents,
            care=recipe.run.care,
        )
    )


def _resume(run: Run, say: Say) -> None:
    found = checkpoint.latest(run.folder)
    if found is None:
        return
    if found.state["fingerprints"] != claim.fingerprints([s.manifest for s in run.sources]):
        raise OutputError(f"{found.folder}: made on other data than this run's; delete it")
    found.load_model(run.task.model)
    run.loader.load_state_dict(found.state["data"])
    run.step = found.step
    # Last, so that nothing above has drawn from the generators that it sets.
    found.load_training(run.optimizer)
    say(f"resuming {run.folder} after step {found.step}")
