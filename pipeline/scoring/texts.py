"""Beam's RunInference around a language model: the perplexity of documents."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apache_beam.ml.inference.base import ModelHandler

from openm3w.shards.document import Document
from openm3w.trainer.encoders.lm_specs import resolve_lm

if TYPE_CHECKING:
    from openm3w.trainer.encoders.causal_lm import CausalLm

BATCH = 16
"""Documents in an element. They are scored one after the other, so that a document's perplexity
depends on no other's; a thousand tokens are enough to keep a device busy."""
CHARACTERS_PER_TOKEN = 8
"""More than there are in nearly all texts: so much text is handed to the model for each token that
it may score, since texts are shuffled and should be small."""


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Rows of documents and their texts."""

    unit: str
    texts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class TextScored:
    """The perplexity of a document; None where it has no token."""

    unit: str
    row: int
    perplexity: float | None
    model: str


def text_batches(
    unit: str, documents: Iterable[tuple[int, Document]], max_tokens: int
) -> Iterator[TextBatch]:
    """The beginnings of the documents' texts, paragraphs between images by blank lines."""
    waiting: list[tuple[int, str]] = []
    for row, document in documents:
        text = "\n\n".join(document.texts)
        waiting.append((row, text[: max_tokens * CHARACTERS_PER_TOKEN]))
        if len(waiting) == BATCH:
            yield TextBatch(unit, tuple(waiting))
            waiting = []
    if waiting:
        yield TextBatch(unit, tuple(waiting))


class PerplexityHandler(ModelHandler[TextBatch, list[TextScored], "CausalLm"]):
    """Loads the model once a process and scores documents."""

    def __init__(self, spec: str, max_tokens: int, threads: int) -> None:
        super().__init__()
        self._spec, self._max_tokens, self._threads = spec, max_tokens, threads

    def load_model(self) -> "CausalLm":
        import torch

        from openm3w.trainer.encoders.causal_lm import CausalLm

        torch.set_num_threads(self._threads)
        return CausalLm(resolve_lm(self._spec), self._max_tokens)

    def run_inference(
        self,
        batch: Sequence[TextBatch],
        model: "CausalLm",
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[list[TextScored]]:
        del inference_args
        return [
            [
                TextScored(item.unit, row, model.perplexity(text), model.model_id)
                for row, text in item.texts
            ]
            for item in batch
        ]

    def batch_elements_kwargs(self) -> dict[str, Any]:
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        return "openm3w.scores"
