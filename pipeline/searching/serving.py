"""Opens an index for whoever asks it: the command, and the viewer in a browser."""

from collections.abc import Sequence
from pathlib import Path

from openm3w.errors import InputError, RecipeError
from openm3w.pipeline.searching.encoding import QuestionEncoder
from openm3w.shards.manifest import Manifest
from openm3w.shards.search import folder as layout
from openm3w.shards.search import nearest
from openm3w.shards.search.folder import Index, Side
from openm3w.shards.search.searching import IndexSearcher
from openm3w.trainer.encoders.specs import resolve_similarity, similarity_id


def open_searcher(
    folder: Path,
    manifests: Sequence[Manifest],
    *,
    side: Side | None = None,
    model: str = "",
    exact: bool = False,
    device: str = "cpu",
) -> IndexSearcher:
    """A `Searcher` over the index in `folder`; its model is loaded at the first question.

    `side` is what is looked at, pictures where the index has them. `model` is needed where the
    index was made with a file. `IndexSearcher.exact` and `num_stale` say what a user should know.

    Raises:
        InputError: there is no finished index of that side, or it is of another model.
        ShardError: the index is damaged.
        RecipeError: the model has to be named, or there is no such model.
        MissingError: a package or the weights of the model are not here.
    """
    index = layout.read(folder, f"m3w index MANIFEST --output {folder}")
    encoder = _encoder(folder, index, model or index.model, device)
    return IndexSearcher(
        folder,
        index,
        manifests,
        encoder,
        side=side or index.sides[0],
        exact=exact or not index.indexed or not nearest.is_installed(),
    )


def _encoder(folder: Path, index: Index, model: str, device: str) -> QuestionEncoder:
    if not model:
        raise RecipeError(
            f"{folder}: made with a model from a file ({index.model_id}); name it with --model"
        )
    resolved = resolve_similarity(model)
    if (model_id := similarity_id(resolved)) != index.model_id:
        raise InputError(f"{folder}: holds embeddings of {index.model_id}, not of {model_id}")
    return QuestionEncoder(resolved, model_id, device)
