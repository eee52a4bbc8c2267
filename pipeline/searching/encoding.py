"""Questions as vectors, by the model that the index was made with; loaded at the first one."""

import threading
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from openm3w.errors import InputError
from openm3w.shards import decoding
from openm3w.trainer.encoders import Similarity, load_similarity


class QuestionEncoder:
    """An `openm3w.shards.search.questions.Encoder`; several threads may ask it."""

    def __init__(self, resolved: str, model_id: str, device: str = "cpu") -> None:
        """`resolved` as `resolve_similarity` gave it."""
        self.model_id = model_id
        self._resolved, self._device = resolved, device
        self._lock = threading.Lock()

    def encode_text(self, text: str) -> NDArray[np.float32]:
        """float32[D] of unit length."""
        with self._lock:
            return np.asarray(self._model.encode_texts([text])[0], np.float32)

    def encode_image(self, data: bytes) -> NDArray[np.float32]:
        """float32[D] of unit length.

        Raises:
            InputError: `data` is no picture that decodes.
        """
        image = decoding.decode(data)
        if image is None:
            raise InputError("the picture to search with does not decode")
        with self._lock:
            return np.asarray(self._model.encode_images([image])[0], np.float32)

    @cached_property
    def _model(self) -> Similarity:
        return load_similarity(self._resolved, self._device)
