import numpy as np
import pytest
import torch

from openm3w.trainer.encoders.pixels import to_pixels

pytestmark = pytest.mark.torch


def test_dinov2_small_has_its_published_sizes(dinov2):
    assert (dinov2.dim, dinov2.num_tokens, dinov2.image_size) == (384, 257, 224)
    parameters = sum(parameter.numel() for parameter in dinov2.model.parameters())
    # 22,056,576 with 37 x 37 positions and a mask token; 16 x 16 positions are kept here.
    assert parameters == 22_056_576 - (37**2 - 16**2) * 384 - 384


@pytest.mark.real
def test_features_agree_with_onnxruntime_on_the_original_graph(
    dinov2, reference_tool, flickr8k, pictures
):
    session, output = reference_tool.image_tower()
    pixels = to_pixels([*flickr8k[0][:2], pictures[0]], 224)
    ours = dinov2.features(pixels)
    for picture, features in zip(pixels, ours, strict=True):
        values = picture.permute(1, 2, 0).numpy().astype(np.float32) / 255
        values = (values - reference_tool.MEAN) / reference_tool.STD
        (theirs,) = session.run([output], {"input_image": values.transpose(2, 0, 1)[None]})
        assert torch.allclose(features, torch.from_numpy(theirs[0]), atol=1e-4)
