"""Perplexity of texts by any causal language model that transformers loads.

transformers is imported where a recipe names a model, and not before.
"""

import contextlib
import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from openm3w.errors import MissingError
from openm3w.trainer.encoders.lm_specs import LmSpec

WINDOW = 2048
"""Tokens that go through the model together, or its context where that is shorter. Logits of so
many over a vocabulary of 50,000 are 400 MB."""
DECIMALS = 4
"""The mean is rounded to 1e-4 before the exponential: float32 noise ends below it."""
_CHUNK = 256  # positions whose log-probabilities are in memory beside the logits


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One window: tokens `start` to `end` are read, and those from `first` on are scored."""

    start: int
    end: int
    first: int


class CausalLm:
    """A frozen model in float32 with its tokenizer."""

    def __init__(self, spec: LmSpec, max_tokens: int, device: str = "cpu") -> None:
        self._max_tokens = max_tokens
        self._tokenizer, self._model = _load(spec)
        self._model.to(device).eval().requires_grad_(requires_grad=False)
        self._device = device
        config = self._model.config
        commit = getattr(config, "_commit_hash", None)
        self.model_id = f"{spec.name}@{spec.digest() or commit or 'unknown'}; {max_tokens} tokens"
        self._window = min(WINDOW, getattr(config, "max_position_embeddings", None) or WINDOW)
        begin = self._tokenizer.bos_token_id
        self._begin = self._tokenizer.eos_token_id if begin is None else begin

    def perplexity(self, text: str) -> float | None:
        """Exp of the mean negative log-likelihood of the text's first tokens; None without any.

        The first token is predicted from the model's begin token, or from its end token where it
        has no other, as GPT-2. A text longer than the window is read in windows that overlap by
        half; each token is scored once, with at least half a window before it.
        """
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"][: self._max_tokens]
        start = [] if self._begin is None else [self._begin]
        sequence = [*start, *ids]
        if len(sequence) < 2:
            return None
        total = sum(self._nll(sequence, each) for each in passes(len(sequence), self._window))
        return rounded(total / (len(sequence) - 1))

    def _nll(self, sequence: Sequence[int], window: Pass) -> float:
        """The summed negative log-likelihood of the tokens that `window` scores."""
        tokens = torch.tensor([sequence[window.start : window.end]], device=self._device)
        total = 0.0
        with torch.inference_mode():
            logits = self._model(input_ids=tokens, use_cache=False).logits[0]
            for first in range(window.first, window.end, _CHUNK):
                last = min(first + _CHUNK, window.end)
                before = logits[first - 1 - window.start : last - 1 - window.start].float()
                targets = tokens[0, first - window.start : last - window.start]
                total += F.cross_entropy(before, targets, reduction="none").double().sum().item()
        return total


def passes(length: int, window: int) -> Iterator[Pass]:
    """Windows over `length` tokens, each half a window after the last; token 0 is never scored."""
    stride, first = max(1, window // 2), 1
    for start in range(0, length, stride):
        end = min(start + window, length)
        yield Pass(start=start, end=end, first=first)
        first = end
        if end == length:
            return


def rounded(mean_nll: float) -> float:
    """The perplexity of a mean negative log-likelihood in nats, as it is stored."""
    return round(math.exp(min(round(mean_nll, DECIMALS), 700.0)), DECIMALS)


def _load(spec: LmSpec) -> tuple[Any, Any]:
    # What is missing, damaged or of a torchvision that does not fit raises many kinds of errors.
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        options = {"gguf_file": spec.gguf_file} if spec.gguf_file else {}
        if revision := spec.revision:
            options["revision"] = revision
        with _silent():
            tokenizer = AutoTokenizer.from_pretrained(spec.source, **options)
            model = AutoModelForCausalLM.from_pretrained(
                spec.source, dtype=torch.float32, **options
            )
    except (OSError, RuntimeError, ValueError, KeyError, ImportError) as error:
        reason = textwrap.shorten(str(error), 160) or type(error).__name__
        raise MissingError(
            f"language model {spec.name}: it does not load ({reason}); load it once where there is "
            "a network and copy the hub's cache here, or name a folder or a .gguf file"
        ) from error
    return tokenizer, model


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without the progress bars and the advice that transformers prints while it loads."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
