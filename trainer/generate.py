"""Captions from a checkpoint: greedy or sampled, with cached keys and values."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from openm3w.errors import InputError, RecipeError
from openm3w.trainer import checkpoint, run
from openm3w.trainer.data import tokenizer
from openm3w.trainer.data.images import decode_image
from openm3w.trainer.data.tokenizer import BOS, EOS, IMAGE, IMAGE_END, NUM_SPECIALS, SLOT, Tokenizer
from openm3w.trainer.encoders.protocol import VisionEncoder
from openm3w.trainer.models.decoder import LayerCache
from openm3w.trainer.models.kosmos1 import Kosmos1
from openm3w.trainer.recipe import from_table

# Below it float32 scores divided by the temperature overflow; the draw is the likeliest id anyway.
_COLDEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen."""

    max_tokens: int = 30
    temperature: float = 0.0
    """0 takes the likeliest token each time."""
    top_k: int = 50
    """With a temperature: draw among this many likeliest tokens."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise RecipeError(f"--temperature {self.temperature}: expected 0 or more, and finite")
        if not -(1 << 63) <= self.seed < 1 << 63:
            raise RecipeError(f"--seed {self.seed}: expected a number of 64 bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioner:
    """A trained model with its tokenizer and its frozen encoder."""

    model: Kosmos1
    tokenizer: Tokenizer
    encoder: VisionEncoder
    length: int
    """Places that the model was trained on."""
    device: torch.device

    @torch.inference_mode()
    def caption(self, image: bytes, prompt: str = "", how: Sampling | None = None) -> str:
        """The text that follows the image and the prompt, up to `</s>`.

        Raises:
            InputError: the image does not decode, or the prompt leaves no place for an answer.
        """
        pixels = decode_image(image, self.encoder.image_size, "--image")[None]
        features = self.encoder.features(pixels.to(self.device)).float()
        ids = [BOS, IMAGE, *[SLOT] * self.model.slots, IMAGE_END, *self.tokenizer.encode(prompt)]
        if len(ids) > self.length:
            raise InputError(
                f"--prompt: with the image it takes {len(ids)} places, the model was trained on "
                f"{self.length}; shorten it"
            )
        return self.tokenizer.decode(self.continuation(ids, features, how or Sampling()))

    def continuation(self, ids: list[int], features: Tensor, how: Sampling) -> list[int]:
        """New ids after `ids`, whose one image has `features`[1, P, D]; `</s>` is left out."""
        generator = torch.Generator(self.device).manual_seed(how.seed)
        caches = [LayerCache() for _ in self.model.decoder.blocks]
        image_at = torch.tensor([[0, ids.index(SLOT)]], device=self.device)
        x = self.model.embed(torch.tensor([ids], device=self.device), features, image_at)
        start, new = 0, list[int]()
        while len(new) < how.max_tokens and start + x.shape[1] <= self.length:
            hidden = self.model.step(x, start, caches)
            start += x.shape[1]
            chosen = _choose(self.model.logits(hidden[0, -1]).float(), how, generator)
            if chosen == EOS:
                break
            new.append(chosen)
            token = torch.tensor([[chosen]], device=self.device)
            x = self.model.embed(token, features[:0], image_at[:0])
        return new


def load_captioner(path: Path, *, device: str, encoder: VisionEncoder | None = None) -> Captioner:
    """The model of a checkpoint, or of the newest checkpoint of a run.

    Raises:
        InputError: there is no whole checkpoint at `path`.
    """
    found = checkpoint.find(path)
    recipe = from_table(found.recipe(), where=str(found.folder))
    words = tokenizer.from_bytes(found.tokenizer(), where=str(found.folder))
    target = run.choose_device(device)
    model = run.make_model(recipe, words.vocab_size, found.state["feature_width"])
    found.load_model(model)
    return Captioner(
        model=model.to(target).eval(),
        tokenizer=words,
        encoder=encoder or run.load_encoder(recipe.model.vision_encoder, target),
        length=recipe.data.sequence_length,
        device=target,
    )


def _choose(logits: Tensor, how: Sampling, generator: torch.Generator) -> int:
    """An id for the scores float32[V]; never a special but `</s>`."""
    logits[:NUM_SPECIALS] = torch.where(
        torch.arange(NUM_SPECIALS, device=logits.device) == EOS, logits[:NUM_SPECIALS], -torch.inf
    )
    if how.temperature < _COLDEST:
        return int(logits.argmax())
    best, ids = logits.topk(min(how.top_k, len(logits)))
    drawn = torch.multinomial((best / how.temperature).softmax(-1), 1, generator=generator)
    return int(ids[drawn])
