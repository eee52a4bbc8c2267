"""Exports read by the projects' own code; each is skipped where the project is not installed."""

import pytest

from openm3w.shards import reader
from openm3w.shards.document import Text
from openm3w.shards.interop.exporting import export_dataset
from openm3w.shards.interop.formats import FORMATS


@pytest.fixture
def train(tmp_path, dataset):
    """`train(name, kind)`: a folder in that format, and our samples of the split by key."""

    def make(name, kind):
        ours = dataset(kind=kind)
        export_dataset(ours, FORMATS[name], tmp_path / "there")
        samples = reader.read_samples(ours, split="train")
        return tmp_path / "there", {sample.key: sample for sample in samples}

    return make


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["interleaved", "caption"])
def test_energon_gives_its_own_samples(train, kind):
    energon = pytest.importorskip("megatron.energon")

    class Encoder(energon.DefaultTaskEncoder):
        def batch(self, samples):
            return samples

    folder, ours = train("energon" if kind == "interleaved" else "energon-captioning", kind)
    dataset = energon.get_train_dataset(
        folder,
        worker_config=energon.WorkerConfig(rank=0, world_size=1, num_workers=0),
        batch_size=1,
        shuffle_buffer_size=None,
        max_samples_per_sequence=None,
        repeat=False,
        task_encoder=Encoder(),
    )
    found = {batch[0].__key__: batch[0] for batch in energon.get_loader(dataset)}
    assert found.keys() == ours.keys()
    for key, sample in found.items():
        spans = ours[key].document.spans
        if kind == "caption":
            assert (sample.caption, tuple(sample.image.shape)) == (spans[1].text, (3, 48, 64))
            continue
        told = [it if isinstance(it, str) else tuple(it.shape) for it in sample.sequence]
        assert told == [it.text if isinstance(it, Text) else (3, 48, 64) for it in spans]


@pytest.mark.filterwarnings("ignore")
def test_datatrove_gives_its_own_documents(train):
    readers = pytest.importorskip("datatrove.pipeline.readers")
    folder, ours = train("datatrove", "interleaved")
    found = {
        it.id: it for it in readers.JsonlReader(str(folder), glob_pattern="train-*.jsonl").run()
    }
    assert found.keys() == ours.keys()
    for key, document in found.items():
        assert document.text == "\n\n".join(ours[key].document.texts)
        assert [medium.media_bytes for medium in document.media] == list(ours[key].images)
        assert [medium.alt for medium in document.media] == [
            image.alt for image in ours[key].document.images
        ]
