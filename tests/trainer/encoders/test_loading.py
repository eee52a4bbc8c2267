import pytest

from openm3w.errors import RecipeError
from openm3w.trainer.encoders import VISION_ENCODERS, load_vision_encoder

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", VISION_ENCODERS)
def test_every_named_encoder_loads_and_keeps_its_name(name):
    assert load_vision_encoder(name).name == name


@pytest.mark.parametrize(
    ("name", "suggestion"), [("dinov2", "did you mean 'dinov2-s'"), ("resnet-50", "known are ")]
)
def test_an_unknown_encoder_is_one_line_with_the_known_ones(name, suggestion):
    with pytest.raises(RecipeError, match=suggestion) as error:
        load_vision_encoder(name)
    assert "\n" not in str(error.value)
