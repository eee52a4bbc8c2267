"""Builders of units of images for the tests of jobs."""

import contextlib
import hashlib
from dataclasses import replace

import pytest

from openm3w.pipeline.images.decode import Encoded, UnusableImageError, UnwantedImageError
from openm3w.pipeline.images.measures import Measures, Original
from openm3w.pipeline.jobs.packing import Packing


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def encoded(data):
    return Encoded(
        data=data,
        sha256=sha256(data),
        width=2,
        height=1,
        original_width=4,
        original_height=2,
        original_format="png",
        original=Original(num_bytes=9, sha256=sha256(b"original!"), md5="6"),
        measures=Measures(grey_deviation=1.0, entropy=2.0, sharpness=3.0, phash="4" * 16),
    )


@pytest.fixture
def make_packing():
    """How images named by their bytes are packed; `bad` ones fail, `unwanted` are measured."""

    def make_packing(folder, *, originals=False, begin=lambda: None, made_of_it=()):
        @contextlib.contextmanager
        def reading(archive):
            assert archive == "u"
            begin()

            def read(found):
                if found.origin.startswith("bad_bytes"):
                    raise UnusableImageError(found.origin)
                return found.origin.encode()

            yield read

        def encode(body, archive):
            assert archive == "u"
            name = body.data.decode()
            if name.startswith("bad"):
                raise UnusableImageError(name)
            if name.startswith("unwanted"):
                raise UnwantedImageError(name, encoded(b"unwanted"))
            stored = encoded(body.data[:1])
            return replace(stored, original_data=b"original!") if originals else stored

        failed = frozenset({"bad_bytes"})
        return Packing(
            folder=folder,
            key="image",
            unit="images",
            failed=failed,
            reading=reading,
            encode=encode,
            made_of_it=made_of_it,
        )

    return make_packing
