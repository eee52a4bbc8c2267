import numpy as np
import pytest
import torch
from PIL import Image

from openm3w.trainer.encoders.pixels import to_pixels

pytestmark = pytest.mark.torch


def test_pixels_of_a_picture_of_the_right_size_are_its_own(pictures):
    pixels = to_pixels(pictures[:1], 224)
    assert pixels.dtype == torch.uint8
    assert np.array_equal(pixels[0].permute(1, 2, 0), np.asarray(pictures[0]))


def test_every_mode_and_shape_becomes_a_square_of_three_channels(pictures):
    assert to_pixels(pictures, 32).shape == (5, 3, 32, 32)


def test_no_picture_gives_an_empty_tensor():
    assert to_pixels([], 32).shape == (0, 3, 32, 32)


def test_the_whole_picture_is_kept_not_its_centre():
    image = Image.new("RGB", (400, 100), "black")
    image.paste("white", (0, 0, 40, 100))  # the left tenth, which a centre crop would lose
    columns = to_pixels([image], 20)[0].float().mean((0, 1))
    assert columns[0] > 250
    assert columns[-1] == 0
